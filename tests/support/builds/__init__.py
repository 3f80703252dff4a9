"""Programs that only tests and make targets run, built from their source into the cache."""
