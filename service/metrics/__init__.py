"""What processes measure: each metric is listed, with its meaning, where it is made."""
