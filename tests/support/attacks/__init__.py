"""Attacks on a service's port: bounded, and on loopback only."""
