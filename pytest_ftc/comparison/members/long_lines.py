"""Long lines, such as JSON in a page or minified scripts, in their parts: each may differ for another reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_LONG = 4096
"""Bytes; shorter lines are one place."""
_END = re.compile(rb"[;{}()\[\]<>]|,(?! \d)|[.!?] (?!\d)")
"""What ends a part.  A comma or point before a number may be in the middle of a date."""


class Part(NamedTuple):
    """A part of a line, without what ends it and without space around it."""

    start: int
    """Where it begins, in bytes."""
    text: bytes

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def is_long(line: bytes) -> bool:
    """Return whether a line is compared in its parts, which that of the control decides."""
    return len(line) > _LONG


def split(line: bytes) -> list[Part]:
    """Return the parts of `line` in order; empty ones are none."""
    parts = []
    start = 0
    for stop, after in [*(end.span() for end in _END.finditer(line)), (len(line), len(line))]:
        text = line[start:stop].lstrip()
        if text:
            parts.append(Part(stop - len(text), text.rstrip()))
        start = after
    return parts


def span(line: bytes, parts: Sequence[Part], first: int, last: int) -> bytes:
    """Return the text of `line` from part `first` to before part `last`; nothing if there are none."""
    return line[parts[first].start : parts[last - 1].end] if first < last else b""


class Columns:
    """The columns of a line, counted in characters from 1; asked for in order, they are counted once."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self._at, self._column = 0, 1

    def at(self, offset: int) -> int:
        """Return the column of the byte at `offset`, which is not before the one asked for last."""
        self._column += len(self._line[self._at : offset].decode(errors="replace"))
        self._at = offset
        return self._column
