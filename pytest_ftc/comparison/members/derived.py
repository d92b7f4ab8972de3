"""Differences that only follow from others: lists of checksums, positions in source maps and on pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.comparison.members.formats.text.pdf_text import KERNING
from pytest_ftc.model import Field, Place
from pytest_ftc.model.place import FileFormat

_CHECKSUM_LINE = re.compile(rb"(?:[0-9a-f]{32,128}) [ *](?P<path>.+)|(?P<record>[^,]+),\w+=[\w-]+,\d*\r?")
"""A line of md5sum(1) and similar tools, or of a wheel's RECORD (binary distribution format, PEP 427)."""
_SOURCE_MAP = ".map"
_POSITIONS = re.compile(r"key mappings(?:,|$)")
"""The positions in a source map (ECMA-426), of which the other keys tell what they are about."""
_OF_PAGES = re.compile(r"PDF object \d+ \d+, (?:line|order)")
_SHOWN = re.compile(rb"(/CharSet\s*)?(\((?:[^()\\]|\\.)*\))|/([A-Z]{6}\+)|[-+]?(?:\d+\.?\d*|\.\d+)", re.DOTALL)
"""A string in a PDF file, or a number, which tells where something is on a page; what depends on the glyphs used."""
_PLACED = re.compile(
    rb"\bT[dDmJj]\b|/(?:Rect|XYZ|FirstChar|LastChar|FontName|BaseFont|CharSet)\b|\A\s*\[[\d\s.]+\]?\s*\Z|\A[\d\s]+\Z"
)
"""Shows text, tells where it is, or its glyphs; widths of glyphs; where objects are.  Lines that are drawn are data."""
_NUMBERS = re.compile(rb"#(?:\s+#)+")


def put_derived_last(leaves: Sequence[Place], name: str = "") -> tuple[Place, ...]:
    """Return `leaves` of the output `name` with those that follow from others marked as such, and moved to the end."""
    changed = {leaf.member for leaf in leaves if not leaf.is_of_entry}
    folders = {member[start:] for member in changed for start in _starts(member)}
    placed = [_is_position(leaf, name) or _is_layout(leaf) for leaf in leaves]
    about = {leaf.member for leaf, is_placed in zip(leaves, placed, strict=True) if not is_placed and _is_text(leaf)}
    marked = [
        replace(leaf, note=FOLLOWS) if _lists_only(leaf, folders) or (is_placed and leaf.member in about) else leaf
        for leaf, is_placed in zip(leaves, placed, strict=True)
    ]
    return tuple(sorted(marked, key=lambda leaf: leaf.note == FOLLOWS))


def _starts(member: str) -> Iterable[int]:
    """Match any suffix: the list may be relative to any folder, and a listed member may contain the differing one."""
    return (0, *(index + 1 for index, character in enumerate(member) if character == "/"))


def _lists_only(leaf: Place, changed: set[str]) -> bool:
    if leaf.field is not Field.CONTENT or leaf.format != FileFormat.TEXT or leaf.note:
        return False
    control, experiment = _paths(leaf.control), _paths(leaf.experiment)
    return bool(control) and control == experiment and all(_is_changed(path, changed) for path in control)


def _is_text(leaf: Place) -> bool:
    """Return whether positions in a source map, or on the pages of a PDF file, may follow from it."""
    return leaf.location.startswith("key ") or bool(_OF_PAGES.match(leaf.location))


def _is_position(leaf: Place, name: str) -> bool:
    return bool(_POSITIONS.match(leaf.location)) and (leaf.member or name).endswith(_SOURCE_MAP)


def _is_layout(leaf: Place) -> bool:
    """Return whether only numbers outside of strings differ, where a page of a PDF file shows text."""
    if not _OF_PAGES.match(leaf.location):
        return False
    if leaf.control.startswith(KERNING) or leaf.experiment.startswith(KERNING):
        return True
    if not (_PLACED.search(leaf.control) and _PLACED.search(leaf.experiment)):
        return False
    one, other = (_NUMBERS.sub(b"#", _SHOWN.sub(_keep_strings, value)) for value in (leaf.control, leaf.experiment))
    return one == other


def _keep_strings(part: re.Match[bytes]) -> bytes:
    is_text = part[2] is not None and part[1] is None
    return part[2] if is_text else b"#"


def _paths(value: bytes) -> list[str]:
    """Return the paths in a list of checksums; empty if it has other lines too."""
    matches = [_CHECKSUM_LINE.fullmatch(line) for line in value.splitlines()]
    paths = [match["path"] or match["record"] for match in matches if match]
    return [path.decode(errors="replace").removeprefix("./") for path in paths] if len(paths) == len(matches) else []


def _is_changed(path: str, changed: set[str]) -> bool:
    return path in changed or any(member.startswith(f"{path}/") for member in changed)
