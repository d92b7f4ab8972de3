"""The sections of programs in the commonest form of ELF, and whether only addresses differ in them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, NamedTuple

from pytest_ftc.comparison.members.limits import Budget, Limits, OutOfTimeError
from pytest_ftc.comparison.members.plain import unequal_runs
from pytest_ftc.comparison.members.span import Span, whole_file

_EXECUTABLE = 0x4
_NO_BITS = 8
_ADDRESS = 4
"""Most bytes in a row that differ where an address has moved, or a distance to one: the upper ones stay the same."""
_MOST_SECTIONS = 4096
_LONGEST_NAMES = 1 << 20
_LIMITS = Limits(seconds=10.0)


class Section(NamedTuple):
    """Where a section is in its file."""

    offset: int
    size: int
    is_code: bool


def sections_of(path: Path) -> Mapping[str, Section]:
    """Return the sections of a 64-bit little-endian ELF file (elf(5)) by name; of any other file none."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, struct.error):
        return {}


def _read(file: BinaryIO) -> Mapping[str, Section]:
    head = file.read(64)
    if len(head) < 64 or not head.startswith(b"\x7fELF\x02\x01"):
        return {}
    (start,) = struct.unpack_from("<Q", head, 40)
    size, count, names = struct.unpack_from("<HHH", head, 58)
    if size < 64 or not 0 <= names < count <= _MOST_SECTIONS:
        return {}
    file.seek(start)
    table = file.read(size * count)
    rows = [struct.unpack_from("<IIQQQQ", table, at) for at in range(0, len(table) - 63, size)]
    file.seek(rows[names][4])
    texts = file.read(min(rows[names][5], _LONGEST_NAMES))
    return {
        texts[name : texts.find(b"\0", name)].decode("utf-8", "replace"): Section(
            offset, 0 if kind == _NO_BITS else length, bool(flags & _EXECUTABLE)
        )
        for name, kind, flags, _, offset, length in rows
    }


def differ_in_addresses(one: Path, other: Path, name: str) -> bool:
    """Return whether the section `name` has the same size in both files, and all that differs may be addresses.

    What stands before a shorter text moves what stands after it, and all that refers to that.
    """
    ours, theirs = sections_of(one).get(name), sections_of(other).get(name)
    if ours is None or theirs is None or ours.size != theirs.size:
        return False
    budget = Budget(_LIMITS)
    try:
        with one.open("rb", 0) as left, other.open("rb", 0) as right:
            spans = _part(left, ours), _part(right, theirs)
            return all(end - start <= _ADDRESS for start, end in unequal_runs(*spans, 0, budget))
    except (OSError, ValueError, OutOfTimeError):
        return False


def _part(file: BinaryIO, section: Section) -> Span:
    return whole_file(file).part(section.offset, section.size)
