"""Which processes make up one stack, and how they are started, scaled, watched and stopped together."""
