"""Handing the phases of a session to those who export them as traces."""
