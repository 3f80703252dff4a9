"""What comes in over HTTP: requests read, bounded and answered."""
