"""Starting a build when its clock, moved by whole seconds, shows a certain time."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

_SET_UP = 0.5
"""Seconds to set up an environment before the clock starts."""


@dataclass(frozen=True, slots=True)
class Start:
    """When to start a build so that its clock starts at the same time as that of the recorded build."""

    at: float
    """Real time of the start, in seconds since 1970."""
    shift: int
    """Seconds by which to move the clock."""

    def wait(self, patience: float) -> bool | None:
        """Return True once the time has come, None if it has not after `patience` seconds."""
        left = self.at - time.time()
        time.sleep(max(0.0, min(left, patience)))
        return True if left <= patience else None


def plan_start(then: float, shift: int, now: float) -> Start:
    """Return the start of a replay; the clock of the recorded build, `shift` seconds ahead, started at `then`.

    The clock can be moved only by whole seconds, so the start waits for the same fraction of a second.
    """
    moment = then + shift
    new_shift = math.floor(moment - now - _SET_UP)
    return Start(at=moment - new_shift, shift=new_shift)
