"""The modification times of the source files."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine
from pytest_ftc.model.support.epoch import SOURCES_EPOCH

SHIFT = -(401 * 86400 + 17 * 60 + 11)
"""Seconds.  All files are shifted equally, since tools such as make compare their times.

The hour stays, in which the date is another one in both zones of the variation `timezone`.
"""


_STEP = 29 * 86400 + 3 * 3600 + 11 * 60 + 7
"""Additional seconds for each further experiment."""

_RECENT_TURN = 2
_TODAY = int(time.time()) // 86400 * 86400
_RECENT = _TODAY - (40 * 86400 + 5 * 3600 + 17 * 60 + 11) - SOURCES_EPOCH
"""Shift to a time 40 days ago, as in a checkout: in all other builds, the sources are older than any age limit."""


@dataclass(frozen=True, slots=True)
class SourceMtime:
    """All files are more than a year older (newer if that would be before 1980, which zip cannot store).

    In one further experiment they are 40 days older than its clock.
    """

    name = "source_mtime"
    mechanism = "utimensat(2) on a copy of the tree"
    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> SourceMtime:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        if self.turn == _RECENT_TURN:
            return replace(environment, source_mtime_shift=_RECENT + environment.clock_shift)
        return replace(environment, source_mtime_shift=SHIFT - (self.turn - 1) * _STEP)

    def describe(self, environment: Environment) -> str:
        if not environment.source_mtime_shift:
            return "as in the project"
        return f"{environment.source_mtime_shift:+d} s"
