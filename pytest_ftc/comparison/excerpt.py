"""Excerpts as evidence: two values from hostile text, safe to print and cut to the place where they differ."""

from __future__ import annotations

from pytest_ftc.model import Evidence
from pytest_ftc.model.support.printable import printable

_LONGEST = 300
_BEFORE = 100


def contrast(control: str, experiment: str) -> Evidence:
    """Return both values escaped and on one line, at most 300 characters long.

    Shortening each separately could remove the only difference, so both keep the same part around the first one.
    """
    one, other = printable(control, keep=""), printable(experiment, keep="")
    if max(len(one), len(other)) <= _LONGEST:
        return Evidence(control=one, experiment=other)
    pairs = enumerate(zip(one, other, strict=False))
    unequal = next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))
    start = max(0, unequal - _BEFORE)
    return Evidence(control=_cut(one, start), experiment=_cut(other, start))


def _cut(text: str, start: int) -> str:
    before = "…" if start else ""
    end = start + _LONGEST - 2
    return before + text[start:end] + ("…" if len(text) > end else "")
