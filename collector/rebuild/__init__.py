"""Counting hours again from the log, and having the workers go on from these numbers."""
