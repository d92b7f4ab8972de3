"""Structured texts, whose places are told by the path of the value."""
