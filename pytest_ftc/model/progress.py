"""The progress of an artifact's verification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The current step of one artifact's verification."""

    name: str
    """The name of the artifact."""
    doing: str
    """In a few words; empty while it waits for a free slot."""
    seconds: float = 0.0
    """When the step began."""
