"""Editing the configuration file of a project in place, with its comments, order and formatting."""
