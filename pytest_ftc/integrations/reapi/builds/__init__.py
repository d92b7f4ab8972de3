"""Builds on the workers of a farm."""
