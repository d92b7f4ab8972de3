"""All artifacts at once: why each did not pass, and what they have in common."""
