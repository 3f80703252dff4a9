"""The product's own processes, and the settings that a test gives them."""
