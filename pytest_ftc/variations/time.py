"""The clock: the experiment lives more than a year after the control."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Machine

SHIFT = 398 * 86400 + 7 * 3600 + 13 * 60
"""Seconds: another year, month, day of month, weekday, hour and minute, whenever the builds run."""


class Time:
    """Moves the clock by libfaketime; the canary is the window in which each clock lies."""

    name = "time"

    def unavailable(self, machine: Machine) -> str | None:
        return None if machine.faketime else machine.faketime_reason

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, clock_shift=SHIFT)

    def describe(self, environment: Environment) -> str:
        if not environment.clock_shift:
            return "the real clock"
        days, seconds = divmod(environment.clock_shift, 86400)
        return f"{days} days {seconds // 3600} hours {seconds % 3600 // 60} minutes ahead"
