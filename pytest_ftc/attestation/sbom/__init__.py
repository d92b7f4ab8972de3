"""What an artifact is made of: its declared dependencies, read from lock files, and the environment of its build."""
