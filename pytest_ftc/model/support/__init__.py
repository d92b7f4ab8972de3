"""Small helpers that every layer may use: files, locks, git, text."""
