"""Real Kafka and InfluxDB for tests: containers where Docker answers, else plain processes; and our own processes."""
