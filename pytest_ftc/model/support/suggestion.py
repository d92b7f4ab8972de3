"""The nearest valid name to a misspelt one, for error messages."""

from __future__ import annotations

from collections.abc import Iterable


def suggest(name: str, valid: Iterable[str], *, cutoff: float = 0.5) -> str | None:
    """Return the name in `valid` most similar to `name`, or None if no similarity reaches `cutoff` (0 to 1)."""
    import difflib  # Not at the top: every run of pytest may import this module, few make a mistake.

    near = difflib.get_close_matches(name, list(valid), n=1, cutoff=cutoff)
    return near[0] if near else None


def did_you_mean(name: str, valid: Iterable[str], *, cutoff: float = 0.5) -> str:
    """Return what follows an unknown `name`: ``; did you mean 'x'?`` with the nearest name, or ``.``."""
    near = suggest(name, valid, cutoff=cutoff)
    return f"; did you mean {near!r}?" if near else "."
