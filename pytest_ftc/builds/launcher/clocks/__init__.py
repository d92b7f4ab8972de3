"""The clock of a build: for programs that ask, for files, and what nothing moves."""
