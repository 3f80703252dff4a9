"""The stores side by side: what a worker's flush and a reader's questions cost on each."""
