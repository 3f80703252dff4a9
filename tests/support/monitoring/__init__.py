"""A local stack that is watched by a real Prometheus."""
