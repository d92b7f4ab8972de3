"""What a machine permits, and what would permit more."""
