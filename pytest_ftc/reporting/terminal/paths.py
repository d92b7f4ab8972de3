"""Paths as the terminal shows them."""

from __future__ import annotations

import os


def relative(path: str) -> str:
    """Return `path` relative to the current folder if it is below it, else unchanged."""
    try:
        shown = os.path.relpath(path)
    except OSError:  # the current folder no longer exists
        return path
    return path if shown.startswith("..") else shown
