"""The store in InfluxDB 1.8 and 2.x."""
