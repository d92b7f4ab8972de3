"""Collecting the outputs of a build, and finding those that it did not create."""
