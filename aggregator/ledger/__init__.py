"""Where each line of the log went."""
