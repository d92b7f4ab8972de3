"""What a build is made from: sources, files it names, tools, and environment variables."""
