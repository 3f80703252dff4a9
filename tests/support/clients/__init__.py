"""The product as clients meet it, and what runs these clients."""
