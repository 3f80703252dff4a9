"""Counting the log again, and comparing each hour with what is stored and answered."""
