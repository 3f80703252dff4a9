"""Three nodes of Cassandra, and what may happen to them."""
