"""All services as processes, producers, and an oracle."""
