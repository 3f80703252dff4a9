"""The current hour as it moves, told to whoever listens."""
