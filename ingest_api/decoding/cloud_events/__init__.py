"""CloudEvents 1.0 become actions: read from JSON or from headers, then mapped."""
