"""A session that verifies one part of the artifacts, as a job of a matrix."""
