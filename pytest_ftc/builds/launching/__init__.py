"""Launching builds: what a launcher is given, how it starts, and how its end is awaited."""
