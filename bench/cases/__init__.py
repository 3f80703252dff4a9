"""What is measured: each case with its contenders."""
