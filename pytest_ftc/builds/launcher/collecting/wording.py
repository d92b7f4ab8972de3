"""How reasons and notes name files."""

from __future__ import annotations

_MOST_NAMED = 3


def name_some(names: list[str]) -> str:
    """Return the first of `names`, as a list in a sentence."""
    return ", ".join(names[:_MOST_NAMED]) + ", ..." * (len(names) > _MOST_NAMED)
