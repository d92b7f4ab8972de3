"""Notes on the parts of outputs that a search did not cover."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMED = 5


def summarize(what: str, sentences: Sequence[str]) -> tuple[str, ...]:
    """Return one note for each of the first `sentences`, which say what was not searched, and one for the rest."""
    notes = [f"{what}: {sentence}" for sentence in sentences[:_MOST_NAMED]]
    if len(sentences) > _MOST_NAMED:
        notes.append(f"{what}: {len(sentences) - _MOST_NAMED} more")
    return tuple(notes)
