"""One program, one process: how it is started, asked whether it is ready, and stopped. Nothing here knows a stack."""
