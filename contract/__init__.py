"""What the services agree on. Pure: no I/O, no clock, no setting, nothing of ours imported."""
