"""A Docker engine for tests on a machine that has none, and images in place of those that only a registry has."""
