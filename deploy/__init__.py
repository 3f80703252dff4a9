"""What runs the services: as plain processes here, as containers elsewhere."""
