"""How the services are: what each says of itself, and what that comes to."""
