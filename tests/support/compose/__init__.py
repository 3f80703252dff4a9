"""deploy/compose.yaml on a real engine."""
