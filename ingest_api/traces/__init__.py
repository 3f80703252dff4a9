"""Spans of requests, and of the records that their actions travel in. Imported only where traces are on."""
