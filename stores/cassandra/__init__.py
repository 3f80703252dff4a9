"""The store in Cassandra 5."""
