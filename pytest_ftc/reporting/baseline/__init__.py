"""The baseline: the findings that a project knows of."""
