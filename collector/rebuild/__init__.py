"""Counting hours again from the log, and having the workers continue from these numbers."""
