"""What the tables hold: how values become rows, and rows values."""
