"""Services that only tests and make targets run: a cluster of brokers, InfluxDB 2.7, Toxiproxy."""
