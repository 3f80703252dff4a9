"""Spans of OpenTelemetry: which are made, whose children they are, and how they reach a collector."""
