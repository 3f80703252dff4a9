"""Sending actions to the ingest API, so that none is counted twice."""
