"""What a process of ours needs, whatever it does: settings, running, HTTP, problems, health, metrics and the clock."""
