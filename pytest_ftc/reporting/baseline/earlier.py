"""Tables of earlier versions, one for each finding, become one for each cause and kind of place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.reporting.baseline.entry import Key, Known, kind_of_place, plain, render

KEYS = ("fingerprint", "output", "location")
"""Keys that only tables of earlier versions have."""
REQUIRED = (KEYS[0], "artifact", *KEYS[1:], "cause")


@dataclass(frozen=True, slots=True)
class Entry:
    """A table of the file, as an entry, with its text; the text is empty if it cannot be kept."""

    known: Known
    line: int
    text: str
    earlier: bool
    """Whether an earlier version has written it."""


def is_earlier(table: Mapping[str, Any]) -> bool:
    """Return whether an earlier version has written `table`."""
    return any(key in table for key in KEYS)


def translate(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the valid `table` of an earlier version with today's keys."""
    kept = {key: value for key, value in table.items() if key not in KEYS}
    outputs = (plain(table["output"].partition(" › ")[0]),)
    return {**kept, "place": kind_of_place(table["location"]), "outputs": outputs, "numbered": False}


def merge(entries: Iterable[Entry]) -> list[Entry]:
    """Return `entries`, with those of earlier versions that have one key as one; all their comments are kept."""
    groups: dict[tuple[Key, int], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.known.key, 0 if entry.earlier else entry.line), []).append(entry)
    return [_as_one(group) if group[0].earlier else group[0] for group in groups.values()]


def _as_one(group: list[Entry]) -> Entry:
    from pytest_ftc.reporting.baseline.revise import comments_of, revise

    first = group[0].known
    known = Known(
        artifact=first.artifact,
        place=first.place,
        cause=first.cause,
        count=len(group),
        outputs=tuple(sorted({output for one in group for output in one.known.outputs})),
        confirmed=all(one.known.confirmed for one in group),
        diagnose=next(one.known.diagnose for one in group if not any(_is_less(other, one) for other in group)),
        owner=", ".join(dict.fromkeys(one.known.owner for one in group if one.known.owner)),
        reason="; ".join(dict.fromkeys(one.known.reason for one in group if one.known.reason)),
        # The first day: what one of them no longer accepts, they no longer accept together.
        expires=min((one.known.expires for one in group if one.known.expires), default=None),
        numbered=False,
    )
    comments = "".join(comments_of(one.text) for one in group[1:] if one.text)
    table = revise(group[0].text, known) if group[0].text else render(known)
    return Entry(known, group[0].line, f"{comments}{table}", earlier=True)


def _is_less(one: Entry, other: Entry) -> bool:
    return other.known.diagnose.is_deeper_than(one.known.diagnose)
