"""Log lines: as text or as JSON, each with the request that it is about."""
