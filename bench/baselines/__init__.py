"""What one would write by hand, small and honest."""
