"""The whole stack as plain processes on one machine: real Kafka and InfluxDB, no Docker."""
