"""The reader: answers for an hour, and says how complete the answer is."""
