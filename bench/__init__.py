"""Benchmarks: this project beside baselines, in one run, each result checked against an oracle. See README.md."""
