"""Programs and libraries that the stack runs on: fetched, verified and built once, into a cache."""
