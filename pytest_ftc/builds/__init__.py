"""Running one build: its inputs, its requirements, the launcher, and the local executor."""
