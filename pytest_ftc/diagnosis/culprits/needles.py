"""The bytes of a differing value, as a build that is traced may have written them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_ftc.comparison.members.span import common_end, common_start
from pytest_ftc.model import Field

_LEAST = 4
"""Fewest bytes that are hardly elsewhere by chance."""
_EMPTY = b"\0 \t\r\n"
_MOST = 200
_ALIKE = 8
"""So many equal bytes end a difference."""
_BINARY = re.compile(r"([0-9a-f]{8,16}) \((\d+)\)")
_WORD = re.compile(rb"[A-Za-z0-9_.:/+-]")
_ALPHANUMERIC = re.compile(rb"[A-Za-z0-9]")
_EDGES = re.compile(rb"^[^A-Za-z0-9]+|[^A-Za-z0-9]+$")
_INSIDE = re.compile(rb"[^\x00-\x1f\"'<>=;,]")


@dataclass(frozen=True, slots=True)
class Needles:
    """What to search for, in `tiers`: the surest first.  One character stands for one byte."""

    tiers: tuple[tuple[str, ...], ...] = ()
    known: bool = False
    """Whether it is a value that tells the cause, and not only what differs."""

    def is_in(self, word: str) -> bool:
        """Return whether a word of a command has the value."""
        return any(needle in word for tier in self.tiers for needle in tier)


def find_needles(data: bytes, other: bytes, value: str, field: Field, *, entire: bool = False) -> Needles:
    """Return what to search for: the `value` that tells the cause, or what differs between `data` and `other`.

    That is the first run of bytes that differ, or with `entire` all from the first to the last.

    `data` are the bytes of the place in the build that is searched.  Other fields than contents and names are not
    written as shown.
    """
    if field is Field.NAME:
        return _tiers([data, _widen(data, _differing(data, other, entire=entire), _ALPHANUMERIC)])
    if field not in (Field.CONTENT, Field.HEADER):
        return Needles()
    known = _bytes_of(value, data)
    exact = known or _differing(data, other, entire=entire)
    if len(exact.strip(_EMPTY)) < _LEAST:
        exact = _widen(data, exact, _WORD)
    if len(exact.strip(_EMPTY)) < _LEAST:
        return Needles()
    texts = [_widen(data, exact, _INSIDE), exact]
    if known and (found := _BINARY.fullmatch(value)):
        texts.insert(0, found[2].encode())  # a compiler reads digits
    else:
        texts.append(_EDGES.sub(b"", exact))  # what joins it to others may be written by others
    return _tiers(texts, known=bool(known))


def _tiers(texts: Iterable[bytes], *, known: bool = False) -> Needles:
    telling = (text for text in dict.fromkeys(texts) if len(text.strip(_EMPTY)) >= _LEAST)
    return Needles(tuple((text.decode("latin-1"),) for text in telling), known=known)


def _bytes_of(value: str, data: bytes) -> bytes:
    text = value.encode("utf-8", "surrogateescape")
    if found := _BINARY.fullmatch(value):
        return bytes.fromhex(found[1])
    return text if text.strip() and text in data else b""


def _differing(data: bytes, other: bytes, *, entire: bool) -> bytes:
    start = common_start(data, other)
    tail = min(common_end(data, other), len(data) - start, len(other) - start)
    end = min(len(data) - tail, start + _MOST)
    if len(data) == len(other) and not entire:
        end = _end_of_run(data, other, start, end)
    line = data.find(b"\n", start, end)
    return data[start : line if line > start else end]


def _end_of_run(data: bytes, other: bytes, start: int, end: int) -> int:
    for position in range(start, end):
        if data[position : position + _ALIKE] == other[position : position + _ALIKE]:
            return position
    return end


def _widen(data: bytes, exact: bytes, inside: re.Pattern[bytes]) -> bytes:
    """Return `exact` with the bytes beside it in `data`, up to the ends of the word or string."""
    start = data.find(exact) if exact else -1
    if start < 0:
        return exact
    end = start + len(exact)
    while start > 0 and end - start < _MOST and inside.match(data, start - 1):
        start -= 1
    while end < len(data) and end - start < _MOST and inside.match(data, end):
        end += 1
    return data[start:end]
