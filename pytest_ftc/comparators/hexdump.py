"""The fallback that needs nothing: the first bytes that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pytest_ftc.model import Difference, Evidence
from pytest_ftc.printable import shorten

_CHUNK = 1 << 20
_CONTEXT = 16
_LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class FirstDifference:
    """Where two files differ first."""

    offset: int
    """Bytes from the start; the length of the shorter file when one is the beginning of the other."""
    location: str
    evidence: Evidence


class HexComparator:
    """Shows the first differing line of texts, or the first differing bytes of anything else."""

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        found = first_difference(control, experiment)
        if found is None:
            return (replace(difference, note="the contents were equal when they were read again"),)
        return (replace(difference, location=found.location, evidence=found.evidence),)


def first_difference(control: Path, experiment: Path) -> FirstDifference | None:
    """Return where the files differ first, or None when they are equal.  Raises OSError."""
    with open(control, "rb", buffering=0) as one, open(experiment, "rb", buffering=0) as other:
        found = _find_offset(one, other)
        if found is None:
            return None
        offset, line, text = found
        if text:
            evidence = Evidence(control=_line_at(one, offset), experiment=_line_at(other, offset))
            return FirstDifference(offset, f"line {line}", evidence)
        evidence = Evidence(control=_hex_at(one, offset), experiment=_hex_at(other, offset))
        return FirstDifference(offset, f"byte {offset:#x}", evidence)


def _find_offset(one: BinaryIO, other: BinaryIO) -> tuple[int, int, bool] | None:
    """Return the first differing offset, its line, and whether all up to it is text."""
    position, lines, text = 0, 1, True
    while True:
        left, right = one.read(_CHUNK), other.read(_CHUNK)
        text = text and _looks_like_text(left) and _looks_like_text(right)
        if left != right:
            inside = _first_unequal(left, right)
            return position + inside, lines + left.count(b"\n", 0, inside), text
        if not left:
            return None
        lines += left.count(b"\n") if text else 0
        position += len(left)


def _first_unequal(left: bytes, right: bytes) -> int:
    """Return the index of the first unequal byte by halving: comparing slices is done in C."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _looks_like_text(chunk: bytes) -> bool:
    if b"\0" in chunk:
        return False
    try:
        chunk.decode()
    except UnicodeDecodeError as error:
        # A character may be cut by the end of the chunk.
        return error.start > len(chunk) - 4
    return True


def _line_at(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - _LONGEST_LINE)
    file.seek(start)
    before = file.read(offset - start).rpartition(b"\n")[2]
    after = file.read(_LONGEST_LINE).partition(b"\n")[0]
    return shorten((before + after).decode(errors="surrogateescape")) or "(end of file)"


def _hex_at(file: BinaryIO, offset: int) -> str:
    start = max(0, offset - _CONTEXT // 2)
    file.seek(start)
    context = file.read(_CONTEXT)
    if start + len(context) <= offset:
        return "(end of file)"
    printable = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in context)
    return f"{start:08x}: {context.hex(' ')}  {printable}"
