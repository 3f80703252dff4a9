"""What clients' connections may cost a process: how many there are, for how long, and with how many bytes."""
