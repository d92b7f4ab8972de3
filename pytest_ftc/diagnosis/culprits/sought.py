"""What is followed, and which of the programs that wrote to a file wrote that."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftc.diagnosis.culprits.abilities import can_bring_in
from pytest_ftc.diagnosis.culprits.commands import MAKERS, STARTERS, common_end, name_of
from pytest_ftc.diagnosis.culprits.file_systems import find_creator
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.diagnosis.culprits.needles import Needles
from pytest_ftc.model import Cause, Field, Place

_START = 32
"""So many first characters tell a copy, or that a file was written again and not only more of it."""
_LINE = re.compile(r"line (\d+)(?:, .*)?")
"""A line, or what is in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is followed: the value of a `place` with its `cause`."""

    place: Place
    cause: str
    needles: Needles

    @property
    def is_order(self) -> bool:
        """Whether the same parts are in another order."""
        return self.place.field is Field.ORDER

    def takes_mode_of(self, named: Sequence[str]) -> str:
        """Return the file whose mode an entry has, of those read that are `named` like it; empty if none is known.

        The umask acts where a file is made: who packs it only takes its mode over.
        """
        if self.place.field is not Field.MODE or self.cause != Cause.UMASK or not named:
            return ""
        member = self.place.member
        # Who packs a tree may put it below a folder of another name.
        return named[0] if common_end(named[0], member) >= min(2, len(member.split("/"))) else ""


def choose(flow: Flow, path: str, writers: Sequence[int], sought: Sought) -> int | None:
    """Return which of `writers` wrote the value to `path`."""
    if not writers:
        return None
    makers = MAKERS.get(sought.place.format, ())
    if made := [one for one in writers if name_of(flow.program(one)) in makers]:
        return made[-1]
    if (creator := find_creator(flow, writers, sought.place)) is not None:
        return creator
    for needles in sought.needles.tiers:
        if telling := [one for one in writers if flow.has_written(one, path, needles)]:
            return _by_line(flow, path, writers, telling, sought) or without_starters(flow, telling)[-1]
    seen = [one for one in writers if flow.has_written(one, path)] or writers
    able = [one for one in seen if can_bring_in(flow, one, sought.cause, order=sought.is_order)]
    return without_starters(flow, able or seen)[-1]


def choose_by_line(flow: Flow, path: str, writers: Sequence[int], sought: Sought) -> int | None:
    """Return which of `writers` wrote the line of the place to the output `path`; None if that cannot be told.

    That is known by what the line holds, or by how many lines each wrote before.  It is for values as short as a digit,
    which cannot be searched for.
    """
    place = sought.place
    seen = [one for one in writers if flow.has_written(one, path)]
    if sought.needles.tiers or not seen or not _LINE.fullmatch(place.location) or place.member:
        return None
    lines = {side.decode("latin-1").strip("\n") for side in (place.control, place.experiment)}
    telling = [one for one in seen if not lines.isdisjoint(flow.contents(one, path).split("\n"))]
    # What started others may have written before and after them.
    alternate = any(flow.program(one).parent in seen for one in seen)
    return telling[0] if len(telling) == 1 else None if alternate else _by_line(flow, path, seen, seen, sought)


def is_copy(content: str, other: str) -> bool:
    """Return whether `content` most likely is a copy of `other`, of which the first bytes may be those of a header.

    Who writes a file often fills in its header last, and only then it is what others read.
    """
    behind = slice(_START, 4 * _START)
    return other.startswith(content[:_START]) or bool(content[behind] and content[behind] == other[behind])


def without_starters(flow: Flow, indices: Sequence[int]) -> Sequence[int]:
    return [one for one in indices if name_of(flow.program(one)) not in STARTERS] or indices


def _by_line(flow: Flow, path: str, writers: Sequence[int], telling: Sequence[int], sought: Sought) -> int | None:
    """Return which program wrote the line of the place, where several wrote the value, each a part of the file."""
    found = _LINE.fullmatch(sought.place.location)
    starts = [flow.contents(one, path)[:_START] for one in telling]
    is_whole = len(starts[-1]) == _START and starts[-1] in starts[:-1]
    if len(telling) < 2 or not found or sought.place.member or is_whole:
        return None
    line, end = int(found[1]), 0
    for one in writers:
        end += flow.contents(one, path).count("\n")
        if end >= line:
            return one if one in telling else None
    return None
