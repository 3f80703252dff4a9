"""All services as processes, producers before them, and an oracle."""
