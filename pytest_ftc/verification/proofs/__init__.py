"""What a session leaves for others to check: the log of its verdicts, and their attestations."""
