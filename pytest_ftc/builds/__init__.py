"""Running one build: its inputs, what it needs installed, the launcher, and the executors that run it here."""
