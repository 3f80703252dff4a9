"""What is counted: an hour of a partition, and how it is stored."""
