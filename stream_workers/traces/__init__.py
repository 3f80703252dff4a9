"""Spans of records, from when they were received until they are stored, and of the flushes that store them."""
