"""The modification times of the source files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine

SHIFT = -(401 * 86400 + 5 * 3600 + 17 * 60 + 11)
"""Seconds.  All files are shifted equally, since tools such as make compare their times."""


_STEP = 29 * 86400 + 3 * 3600 + 11 * 60 + 7
"""Additional seconds for each further experiment."""


@dataclass(frozen=True, slots=True)
class SourceMtime:
    """All files are more than a year older (newer if that would be before 1980, which zip cannot store)."""

    name = "source_mtime"
    mechanism = "utimensat(2) on a copy of the tree"
    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> SourceMtime:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, source_mtime_shift=SHIFT - (self.turn - 1) * _STEP)

    def describe(self, environment: Environment) -> str:
        if not environment.source_mtime_shift:
            return "as in the project"
        return f"{environment.source_mtime_shift:+d} s"
