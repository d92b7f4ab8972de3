"""Texts of a verification that are recognised again: written and read here alone, since a report holds them as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

BUILT_AGAIN = "built again: "
"""Begins the note that says why an artifact is built again."""
REQUIREMENTS = "build requirements: sha256 "
"""Begins a note that is shown only in verbose sessions."""
FLAKY = "flaky: "
"""Begins a sentence about a build that failed and then passed unchanged."""
NOT_CACHED_BEFORE = "not cached: earlier builds of the same inputs left other outputs (ftc history)"
"""A note on a reproducible artifact whose verdict the history contradicts."""
NOT_CACHED_UNKNOWN = "not cached: the history cannot be read, so whether earlier builds left other outputs is unknown"
"""A note on a reproducible artifact whose verdict the history neither supports nor contradicts."""
_NOT_KEPT = "the differing outputs were not kept: "
_AGREED = "the builds of this session agree; those of "
_PUBLISHED = "to what was published"
_AGAINST_PUBLISHED = "(against what was published)"
_SOCKET = "a socket that is hidden from builds"
_UNLISTED = re.compile(r"(?P<place>.*: )(?P<field>[^:]+): (?P<count>[0-9]+) more members of (?P<whole>.*)", re.DOTALL)


def explain_disagreement(when: str, where: str) -> str:
    """Return why outputs of builds that agree are a finding: those recorded `when` and `where` differ."""
    return f"{_AGREED}{when} on {where} had other outputs from the same inputs"


def is_disagreement(why: str) -> bool:
    """Return whether `why` says that."""
    return why.startswith(_AGREED)


def note_not_kept(why: str) -> str:
    """Return the note that the differing outputs were not kept, and why."""
    return _NOT_KEPT + why


def is_not_kept_note(note: str) -> bool:
    """Return whether `note` says that."""
    return note.startswith(_NOT_KEPT)


def note_equal(names: Iterable[str]) -> str:
    """Return the note that the outputs equal the published files `names`."""
    return f"equal {_PUBLISHED}: {', '.join(names)}"


def note_normalized(name: str, *, equal: bool) -> str:
    """Return the note whether the output `name` equals the published file after both are normalized."""
    if equal:
        return f"{name}: equal {_PUBLISHED} after both are normalized (order, times, owners, modes, headers)"
    return f"{name}: not equal {_PUBLISHED} even after both are normalized"


def is_reference_note(note: str) -> bool:
    """Return whether `note` is about published files."""
    return _PUBLISHED in note


def is_of_the_session(note: str) -> bool:
    """Return whether `note` is recognised as one that only a session itself writes, never a build."""
    return note.startswith((BUILT_AGAIN, REQUIREMENTS, FLAKY, _NOT_KEPT)) or is_reference_note(note)


def locate_in_published(location: str) -> str:
    """Return the location of a difference from a published file, as opposed to one between two builds."""
    return f"{location} {_AGAINST_PUBLISHED}".lstrip()


def is_in_published(location: str) -> bool:
    """Return whether a difference at `location` is one from a published file."""
    return location.endswith(_AGAINST_PUBLISHED)


def note_hidden_socket(program: str, path: str) -> str:
    """Return the note that `program` tried to access a socket that its build could not."""
    return f'{program} tried to access {path}, {_SOCKET}; pass_sockets = ["{path}"] makes it visible'


def is_socket_note(note: str) -> bool:
    """Return whether `note` is about such a socket."""
    return _SOCKET in note


def note_unlisted(location: str, count: int, whole: str) -> str:
    """Return the note that `count` more members of `whole` differ at `location` than are listed."""
    return f"{location}: {count} more members of {whole}"


def join_unlisted(notes: Iterable[str]) -> list[str]:
    """Return `notes` with those about members that are not listed as one for each output, at the first of them."""
    joined: dict[object, list[re.Match[str]] | str] = {}
    for note in notes:
        found = _UNLISTED.fullmatch(note)
        alike = joined.setdefault((found["place"], found["whole"]) if found else note, [] if found else note)
        if found and isinstance(alike, list):
            alike.append(found)
    return [alike if isinstance(alike, str) else _join(alike) for alike in joined.values()]


def _join(notes: list[re.Match[str]]) -> str:
    fields = list(dict.fromkeys(one["field"] for one in notes))
    if len(fields) == 1 == len(notes):
        return notes[0][0]
    most = max(int(one["count"]) for one in notes)
    others = len(fields) - 1
    more = f" and {others} more field{'s' * (others > 1)}" if others else ""
    return (
        f"{notes[0]['place']}{fields[0]}{more}: up to {most} more members of {notes[0]['whole']} (-v names the fields)"
    )
