"""Fetching what the next run needs from the store that sessions share, before it needs it."""
