"""The backing services of a stack: its brokers and its store, and how ours find them."""
