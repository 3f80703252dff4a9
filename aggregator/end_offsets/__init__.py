"""The end offsets of the log's partitions, as Kafka tells them."""
