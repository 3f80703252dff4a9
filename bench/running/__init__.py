"""The services and processes of a run, and on which cores they run."""
