"""The fallback comparator, without any tool: the first bytes that differ."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pytest_ftc.comparison.excerpt import contrast
from pytest_ftc.comparison.members.limits import Budget, Limits, OutOfTimeError
from pytest_ftc.comparison.members.span import first_unequal, whole_file
from pytest_ftc.model import Difference, Evidence
from pytest_ftc.model.support.printable import shorten

_CHUNK = 1 << 17
"""Bytes read at once; two such chunks fit in the processor's cache."""
_CONTEXT = 16
"""Bytes shown before and after the first difference; also the distance from which two differences are separate."""
_REACH = 64 << 20
"""Bytes after the first difference that are searched for further ones."""
_MOST_PLACES = 100
_LONGEST_LINE = 4096
_END_OF_FILE = "(end of file)"
_UNEQUAL = re.compile(rb"[^\0]+")


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """The first difference of two files."""

    offset: int
    """Offset in bytes; the size of the shorter file if the longer one starts with it."""
    location: str
    evidence: Evidence
    more: int = 0
    """Further places that differ, at most a hundred; 0 if the sizes differ, because everything after has moved."""


class HexComparator:
    """Shows the first differing line of text files, or the first differing bytes of other files."""

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        try:
            found = first_difference(control, experiment, Budget(Limits()))
        except OutOfTimeError as error:
            return (replace(difference, note=f"not examined: {error}"),)
        except OSError as error:
            return (replace(difference, note=f"not examined: {shorten(str(error))}"),)
        if found is None:
            return (replace(difference, note="the contents were equal when they were read again"),)
        location = found.location + (f" and {found.more} more places" if found.more else "")
        return (replace(difference, location=location, evidence=found.evidence),)


def first_difference(control: Path, experiment: Path, budget: Budget | None = None) -> FirstDifference | None:
    """Return the first difference, or None if the files are equal.  Raises OSError, OutOfTimeError."""
    with open(control, "rb", 0) as one, open(experiment, "rb", 0) as other:
        found = _find_offset(one, other, budget or Budget(Limits()))
        if found is None:
            return None
        offset, line = found
        if line:
            return FirstDifference(offset, f"line {line}", _lines_at(one, other, offset))
        evidence = Evidence(control=_hex_at(one, offset), experiment=_hex_at(other, offset))
        return FirstDifference(offset, f"byte {offset:#x}", evidence, _count_places(one, other, offset) - 1)


def _find_offset(one: BinaryIO, other: BinaryIO, budget: Budget) -> tuple[int, int] | None:
    """Return the first differing offset and its line number; 0 if the files do not start as text."""
    offset = first_unequal(whole_file(one), whole_file(other), budget)
    if offset is None:
        return None
    one.seek(0)
    other.seek(0)
    if not (_begins_as_text(one.read(_CHUNK)) and _begins_as_text(other.read(_CHUNK))):
        return offset, 0
    one.seek(0)
    lines, left = 1, offset
    while left and (chunk := one.read(min(_CHUNK, left))):
        budget.check_time()
        lines += chunk.count(b"\n")
        left -= len(chunk)
    return offset, lines


def _begins_as_text(chunk: bytes) -> bool:
    """Return whether the first chunk of a file is UTF-8 text."""
    if b"\0" in chunk:
        return False
    try:
        chunk.decode()
    except UnicodeDecodeError as error:
        # The end of the chunk may split a character, but the end of the file must not.
        return len(chunk) == _CHUNK and error.start > len(chunk) - 4
    return True


def _count_places(one: BinaryIO, other: BinaryIO, offset: int) -> int:
    """Return the number of places that differ, starting at `offset`; one if the sizes differ."""
    if one.seek(0, 2) != other.seek(0, 2):
        return 1
    places, end = 0, -_CONTEXT - 1
    for start, stop in _unequal_runs(one, other, offset):
        places += start - end >= _CONTEXT
        end = stop
        if places > _MOST_PLACES:
            break
    return places


def _unequal_runs(one: BinaryIO, other: BinaryIO, offset: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of unequal bytes within reach, in files of the same size."""
    one.seek(offset)
    other.seek(offset)
    for position in range(offset, offset + _REACH, _CHUNK):
        left, right = one.read(_CHUNK), other.read(_CHUNK)
        if not left:
            return
        if left != right:
            unequal = int.from_bytes(left, "big") ^ int.from_bytes(right, "big")
            for run in _UNEQUAL.finditer(unequal.to_bytes(len(left), "big")):
                yield position + run.start(), position + run.end()


def _lines_at(one: BinaryIO, other: BinaryIO, offset: int) -> Evidence:
    control, experiment = _line_at(one, offset), _line_at(other, offset)
    if control.rstrip("\n") != experiment.rstrip("\n"):
        control, experiment = control.rstrip("\n"), experiment.rstrip("\n")
    return contrast(control or _END_OF_FILE, experiment or _END_OF_FILE)


def _line_at(file: BinaryIO, offset: int) -> str:
    """Return the line at `offset`, including its newline; empty at the end of the file."""
    start = max(0, offset - _LONGEST_LINE)
    file.seek(start)
    before = file.read(offset - start).rpartition(b"\n")[2]
    return (before + file.readline(_LONGEST_LINE)).decode(errors="surrogateescape")


def _hex_at(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - _CONTEXT)
    file.seek(start)
    context = file.read(offset - start + _CONTEXT)
    if start + len(context) <= offset:
        return _END_OF_FILE
    characters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in context)
    return f"{start:08x}: {context.hex(' ')}  {characters}"
