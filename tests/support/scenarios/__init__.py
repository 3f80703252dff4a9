"""A fault under load: traffic, the services, what watches them, and the checks at the end."""
