"""Raw actions: whether and how they are stored, and the form of packed ones, the same in each store."""
