"""Numbers from the aggregator, for people at a terminal."""
