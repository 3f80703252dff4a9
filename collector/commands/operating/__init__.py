"""Commands for those who run the services."""
