"""The pool of writers: Faust agents that count what the log holds and store it."""
