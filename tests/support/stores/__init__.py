"""A store under test, and values to write to it."""
