"""Who may do what in InfluxDB: a token for those who write results, and one for those who only read them."""
