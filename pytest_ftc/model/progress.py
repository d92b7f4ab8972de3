"""Where the verification of an artifact stands."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is being done for one artifact at this moment."""

    name: str
    """The artifact's."""
    doing: str
    """In a few words; empty while it waits for its turn, or for the next build's."""
    seconds: float = 0.0
    """Since when."""
