"""The baseline: known findings of a project."""
