"""Configurations in folders below the project's own, for repositories of several projects."""
