"""Telling people and programs what was found."""
