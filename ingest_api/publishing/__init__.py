"""Accepted actions on their way into Kafka, until it has acknowledged them."""
