"""What is measured of a session, and handing it to those who export it."""
