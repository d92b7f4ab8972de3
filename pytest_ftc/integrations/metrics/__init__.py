"""The metrics of sessions and commands: what they are, measuring them, adding them up, and their ways out."""
