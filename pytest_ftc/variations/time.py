"""The clock: the experiment runs more than a year after the control."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine, parameter

SHIFT = 398 * 86400 + 7 * 3600 + 13 * 60
"""Seconds: changes year, month, day of month, weekday, hour and minute, whenever the builds run."""

_STEP = 34 * 86400 + 3 * 3600 + 11 * 60
"""Seconds by which each further experiment is later; with up to six steps month, weekday and hour differ too."""
_LEAST = 3600
"""Seconds.  Closer clocks could overlap: builds start at different moments and take time."""

_MOST = 40 * 365 * 86400
"""Seconds.  Zip files hold dates from 1980 to 2107 only."""

_LENGTH = re.compile(
    r"(?P<sign>[+-]?)((?P<w>\d+)w)?((?P<d>\d+)d)?((?P<h>\d+)h)?((?P<m>\d+)m)?((?P<s>\d+)s)?", re.ASCII | re.IGNORECASE
)
_SECONDS = {"w": 7 * 86400, "d": 86400, "h": 3600, "m": 60, "s": 1}


def read_length(text: str) -> int:
    """Return the number of seconds in `text`, such as ``+398d``, ``-7h30m`` or ``90``.

    Raises ValueError.
    """
    match = _LENGTH.fullmatch(f"{text}s" if re.fullmatch(r"[+-]?[0-9]+", text) else text)
    parts = {unit: int(match[unit]) for unit in _SECONDS if match[unit]} if match else {}
    seconds = sum(count * _SECONDS[unit] for unit, count in parts.items())
    if not match or not parts or seconds > _MOST:
        raise ValueError(text)
    return -seconds if match["sign"] == "-" else seconds


@dataclass(frozen=True, slots=True)
class Time:
    """The real clock, or one that is 398 days, 7 hours and 13 minutes ahead.

    The canary is the time window of each clock.
    """

    name = "time"
    mechanism = "a changed vDSO by ptrace, and system calls by seccomp; without these libfaketime, which is not claimed"
    offset: int = parameter(
        SHIFT,
        read_length,
        "a length of time up to 40 years, such as +398d, -7h30m or a number of seconds",
        written="+398d7h13m",
        meaning="how far the experiment's clock is ahead, or behind with a `-`: weeks, days, hours, minutes and "
        "seconds as in `1w2d3h4m5s`. The default changes year, month, day, weekday, hour and minute; a shorter one "
        "finds less: with `+30d`, a file that holds only the year mostly stays the same",
    )

    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        if abs(self.offset) < _LEAST:
            return f"time.offset is {self.offset} s, and clocks less than an hour apart could meet"
        return None if machine.faketime else machine.faketime_reason

    def take_turn(self, number: int) -> Time:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        # A configured offset applies to every experiment.
        more = (self.turn - 1) * _STEP if self.offset == SHIFT else 0
        return replace(environment, clock_shift=self.offset + more)

    def describe(self, environment: Environment) -> str:
        if environment.clock_stop:
            return f"a clock that stands still at {environment.clock_stop} seconds since 1970"
        if not environment.clock_shift:
            return "the real clock"
        days, seconds = divmod(abs(environment.clock_shift), 86400)
        side = "ahead" if environment.clock_shift > 0 else "behind"
        return f"{days} days {seconds // 3600} hours {seconds % 3600 // 60} minutes {side}"
