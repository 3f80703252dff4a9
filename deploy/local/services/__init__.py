"""One program as a process each: how it is started, asked whether it is ready, and stopped. Nothing here knows a stack."""
