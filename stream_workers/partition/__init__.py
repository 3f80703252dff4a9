"""One partition in memory: where it resumes, its windows, and what was folded since the last flush."""
