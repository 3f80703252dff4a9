"""Keeps the measurement `hours` right, for those who query the store themselves: a process of its own."""
