"""Objectives, and what they are measured by."""
