"""The inputs of a build: sources, files it names, tools, and environment variables."""
