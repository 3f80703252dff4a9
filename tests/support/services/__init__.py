"""Services for tests: Kafka and InfluxDB, as containers or processes, and what else only tests run."""
