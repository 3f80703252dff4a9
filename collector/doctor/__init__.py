"""Looking at what lies in the log, for mistakes of its producers that no answer shows."""
