"""The product's processes around real services, and the numbers they should come to."""
