"""How many outputs of one artifact are examined."""

from __future__ import annotations

MOST_EXAMINED = 64
"""Outputs searched for the places that differ; of the others it is only known whether they differ."""

MOST_FULL_DIFFS = 16
"""Outputs that diffoscope gets, which may take a minute for each."""
