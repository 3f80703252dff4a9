"""`collector raw`: the raw actions of an hour, read back from the store."""
