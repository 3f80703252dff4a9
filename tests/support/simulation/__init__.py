"""The product's own parts over a hostile store, under a random scheduler."""
