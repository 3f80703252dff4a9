"""The pages of a worker: health and metrics, and what guards them."""
