"""Dividing the artifacts among the jobs of a matrix: each is in exactly one part, whatever machine computes it."""
