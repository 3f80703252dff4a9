"""The driver: connections, requests and what their errors mean."""
