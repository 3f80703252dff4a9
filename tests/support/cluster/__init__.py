"""Nodes of Cassandra for tests: three that may die, and one that asks everybody who they are."""
