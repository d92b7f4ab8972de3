"""The modification times of the source files."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Machine

SHIFT = -(401 * 86400 + 5 * 3600 + 17 * 60 + 11)
"""Seconds.  All files move alike, since make and its like compare them with each other."""


class SourceMtime:
    """All files older by more than a year (newer, where that would be before 1980, which zip cannot store)."""

    name = "source_mtime"
    mechanism = "utimensat(2) on a copy of the tree"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, source_mtime_shift=SHIFT)

    def describe(self, environment: Environment) -> str:
        if not environment.source_mtime_shift:
            return "as in the project"
        return f"{environment.source_mtime_shift:+d} s"
