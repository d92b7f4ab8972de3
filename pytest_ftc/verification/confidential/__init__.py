"""What builds are given and must not give away."""
