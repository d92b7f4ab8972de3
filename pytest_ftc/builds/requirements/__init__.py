"""Build requirements: what a project needs installed before its builds run."""
