"""Spans of hours: what may be asked for, as rows and added up."""
