"""What a request brings besides its path: body, media type, form, options."""
