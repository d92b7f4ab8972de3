"""What a project says once for all its artifacts."""
