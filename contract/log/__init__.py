"""The log: what its records hold, and how far they are counted."""
