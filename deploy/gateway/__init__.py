"""What stands before both APIs: Caddy's configuration, and the pages that Caddy serves by itself."""
