"""A fault under load: traffic, the services, the monitor, and the checks at the end."""
