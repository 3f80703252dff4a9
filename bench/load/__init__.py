"""What is put in, and what must come out of it: requests, actions, and the oracle."""
