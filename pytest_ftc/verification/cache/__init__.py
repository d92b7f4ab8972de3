"""The verification cache: verdicts of earlier sessions, and when they are reused."""
