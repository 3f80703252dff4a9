"""Whether what a producer was told to be in the log is counted."""
