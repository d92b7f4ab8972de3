"""Suspicions, their strength and their positions."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model import Strength, Suspicion

__all__ = ["Sighting", "Strength", "Suspicion", "shown"]

_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Sighting:
    """A suspicion and the changes of a place that it explains."""

    suspicion: Suspicion
    changes: frozenset[int]


def shown(text: bytes) -> str:
    """Return `text` shortened for display."""
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + b"..."
    return cut.decode("utf-8", errors="backslashreplace")
