"""Producers that write to Kafka themselves, as docs/producers.md shows them."""
