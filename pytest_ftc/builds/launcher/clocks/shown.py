"""The clock that a build is shown: one that is ahead of the real clock, or one that stands still."""

from __future__ import annotations

import time
from typing import NamedTuple

BILLION = 1_000_000_000
_REST = 123_456_789
"""Nanoseconds at which a clock stands still: with none, some programs write the time in another form."""


class Shown(NamedTuple):
    """A clock that is `shift` seconds ahead of the real one; or that stands still at `stop`, unless that is 0."""

    shift: int = 0
    stop: int = 0
    """Nanoseconds since 1970."""

    def show(self, real: int) -> int:
        """Return what the clock shows at the moment `real`; both in nanoseconds since 1970."""
        return self.stop or real + self.shift * BILLION

    def find_real(self, shown: int) -> int:
        """Return the moment at which a wait until `shown` ends; both in nanoseconds since 1970.

        Who waits for a clock that stands still waits for as long as the clock of now says.
        """
        return time.time_ns() + shown - self.stop if self.stop else shown - self.shift * BILLION


def stopped_at(seconds: int) -> Shown:
    """Return the clock that stands still in the second `seconds` since 1970."""
    return Shown(stop=seconds * BILLION + _REST)
