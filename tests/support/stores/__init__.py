"""A store under test, and values to put into it."""
