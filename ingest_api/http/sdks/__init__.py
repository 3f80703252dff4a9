"""Formats of others: what SDKs send that were not written for this API."""
