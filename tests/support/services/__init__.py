"""Real Kafka and InfluxDB for tests: containers where a Docker engine answers, else plain processes."""
