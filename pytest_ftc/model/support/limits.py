"""How many outputs of one artifact are examined."""

from __future__ import annotations

MOST_EXAMINED = 64
"""Outputs searched for the places that differ, and given a full diff; of the others only their digests are compared.

Further outputs mostly differ for the same reasons.  The walk into 64 outputs takes seconds, their full diffs about half
a minute: a start of diffoscope takes half a second.  What is slower ends with the time for all full diffs.
"""
NOT_EXAMINED = f"not examined: only the first {MOST_EXAMINED} differing outputs are"
