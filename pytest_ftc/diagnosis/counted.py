"""Lines and rows, which are counted in the control: several that differ side by side are one place, a block."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_ftc.model import Place

_COUNTED = re.compile(r"(?P<of>(?:[^,]+, )?(?:line|row) )(?P<number>[0-9]+)(?P<part>(?:, .*)?)")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines or rows side by side."""

    of: str
    """What they are in."""
    numbers: range
    part: str = ""
    """The part of a line; empty for all of it."""

    def overlaps(self, other: Block) -> bool:
        """Return whether both have a line in common, and a part of it if they are parts of one."""
        together = max(self.numbers.start, other.numbers.start) < min(self.numbers.stop, other.numbers.stop)
        return self.of == other.of and together and (self.part == other.part or not (self.part and other.part))


def is_counted(location: str) -> bool:
    """Return whether a place is a line or a row, or in one."""
    return bool(_COUNTED.match(location))


def is_line(location: str) -> bool:
    """Return whether a place is a line of a text, or a part of one."""
    return location.startswith("line ") and location != "line order"


def block_of(location: str, place: Place) -> Block | None:
    """Return the lines or rows of a place; None if it is none."""
    found = _COUNTED.match(location)
    if not found:
        return None
    first = int(found["number"])
    return Block(found["of"], range(first, first + max(1, place.control.count(b"\n"))), found["part"])
