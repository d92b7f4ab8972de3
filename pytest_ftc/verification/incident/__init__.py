"""Incidents: all that is known about an artifact, in one folder."""
