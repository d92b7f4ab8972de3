"""The notes of a verification about published files: written and recognised here, since a report holds them as text."""

from __future__ import annotations

from collections.abc import Iterable

_PUBLISHED = "to what was published"


def note_equal(names: Iterable[str]) -> str:
    """Return the note that the outputs equal the published files `names`."""
    return f"equal {_PUBLISHED}: {', '.join(names)}"


def note_normalized(name: str, *, equal: bool) -> str:
    """Return the note whether the output `name` equals the published file after both are normalized."""
    if equal:
        return f"{name}: equal {_PUBLISHED} after both are normalized (order, times, owners, modes, headers)"
    return f"{name}: not equal {_PUBLISHED} even after both are normalized"


def is_reference_note(note: str) -> bool:
    """Return whether `note` is one of these."""
    return _PUBLISHED in note
