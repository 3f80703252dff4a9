"""One command line command a file."""
