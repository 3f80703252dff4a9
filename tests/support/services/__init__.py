"""Real services for tests: Kafka and InfluxDB, as containers or plain processes, and what only tests run."""
