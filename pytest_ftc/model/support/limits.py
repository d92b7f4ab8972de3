"""How many outputs of one artifact are examined, and sizes as people write them."""

from __future__ import annotations

MOST_EXAMINED, MOST_DIFFED = 256, 64
"""Outputs searched for the places that differ, and given a full diff; of the others only their digests are compared.

Further outputs mostly differ for the same reasons.  The walk into 256 outputs takes seconds, the full diffs of 64 about
half a minute: a start of diffoscope takes half a second.  What is slower ends with the time for all full diffs.
"""
NOT_EXAMINED = f"not examined: only the first {MOST_EXAMINED} differing outputs are"
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def read_size(text: str) -> int | None:
    """Return the bytes of `text`, such as ``10G``, with units that are powers of 1024; None if it is no size."""
    unit = _UNITS.get(text[-1:].upper(), 1)
    number = text if unit == 1 else text[:-1]
    return int(number) * unit if number.isascii() and number.isdigit() and len(number) <= 18 else None
