"""What pytest has to do with the observation of a session."""
