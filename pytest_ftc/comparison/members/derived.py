"""Differences that are there only because something else differs: lists of checksums of other members."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.model import Field, Place

_ENTRY_FIELDS = ("zip ", "tar ", "ar ", "cpio ")
_CHECKSUM_LINE = re.compile(rb"(?:[0-9a-f]{32,128}) [ *](?P<path>.+)|(?P<record>[^,]+),\w+=[\w-]+,\d*\r?")
"""A line of md5sum(1) and its kin, or of a wheel's RECORD (binary distribution format, PEP 427)."""


def put_derived_last(leaves: Sequence[Place]) -> tuple[Place, ...]:
    """Return `leaves` with checksums of members that differ marked as such, all that is so marked last."""
    changed = {leaf.member for leaf in leaves if not leaf.location.startswith(_ENTRY_FIELDS)}
    folders = {member[start:] for member in changed for start in _starts(member)}
    marked = [replace(leaf, note=FOLLOWS) if _lists_only(leaf, folders) else leaf for leaf in leaves]
    return tuple(sorted(marked, key=lambda leaf: leaf.note == FOLLOWS))


def _starts(member: str) -> Iterable[int]:
    """A checksum list names paths from some folder above the member; a member may itself hold the one that differs."""
    return (0, *(index + 1 for index, character in enumerate(member) if character == "/"))


def _lists_only(leaf: Place, changed: set[str]) -> bool:
    if leaf.field is not Field.CONTENT or leaf.format != "text" or leaf.note:
        return False
    control, experiment = _paths(leaf.control), _paths(leaf.experiment)
    return bool(control) and control == experiment and all(_is_changed(path, changed) for path in control)


def _paths(value: bytes) -> list[str]:
    """Return the paths that a list of checksums names; none when there are other lines too."""
    matches = [_CHECKSUM_LINE.fullmatch(line) for line in value.splitlines()]
    paths = [match["path"] or match["record"] for match in matches if match]
    return [path.decode(errors="replace").removeprefix("./") for path in paths] if len(paths) == len(matches) else []


def _is_changed(path: str, changed: set[str]) -> bool:
    return path in changed or any(member.startswith(f"{path}/") for member in changed)
