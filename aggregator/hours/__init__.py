"""An hour's numbers: read, united, cached, and how complete they are."""
