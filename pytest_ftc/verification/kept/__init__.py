"""The differing outputs of artifacts that are not reproducible, kept beyond the session for other tools and people."""
