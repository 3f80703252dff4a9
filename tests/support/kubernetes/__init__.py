"""A Kubernetes for tests: its own programs, built from source, on this machine alone."""
