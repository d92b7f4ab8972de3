"""Comparing the outputs of two builds: manifests first, then the contents of outputs that differ."""
