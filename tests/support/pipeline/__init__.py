"""The product's processes around real services, and what they should come to."""
