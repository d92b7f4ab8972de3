"""Rewriting zip archives."""
