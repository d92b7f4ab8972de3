"""Whether a build is supervised, what for, and what came of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_ftc.launcher.processes import Alone

if TYPE_CHECKING:
    from pytest_ftc.launcher.clock import MovedClock

_MOST_NAMED = 3


class Supervision:
    """How a build is followed, and whether the moved `clock`, if it has one, was seen by all of it."""

    def __init__(self, following: Alone, clock: MovedClock | None = None) -> None:
        self.following = following
        self._clock = clock

    def report(self) -> dict[str, Any]:
        """Return what the result of the build has to say of it."""
        reason = self._find_hole() if self._clock else ""
        return {"not_applied": {"time": reason}} if reason else {}

    def _find_hole(self) -> str:
        assert self._clock is not None
        if self.following.refusal:
            return (
                "programs that libfaketime does not reach, such as static ones, could not be watched "
                f"({self.following.refusal}); allow ptrace(2) and seccomp(2)"
            )
        missed = [f"{name} {reason}" for name, reason in sorted(self._clock.unreached.items())]
        if not missed:
            return ""
        more = f" and {len(missed) - _MOST_NAMED} more" * (len(missed) > _MOST_NAMED)
        return f"not all programs saw the moved clock: {', '.join(missed[:_MOST_NAMED])}{more}"


def supervise(spec: dict[str, Any]) -> Supervision:
    """Return the supervision that `spec` calls for: of the clock, and where no namespace does it, of the survivors.

    What a tracer follows dies with it, whatever it does to its name, session and environment.
    """
    moved = bool(spec["clock_shift"])
    if sys.platform != "linux" or not (moved or spec["isolation"] == "none"):
        return Supervision(Alone())
    # Most builds do without, and imports are waited for.
    from pytest_ftc.launcher.clock import MovedClock
    from pytest_ftc.launcher.following import Following
    from pytest_ftc.launcher.supervisor import Supervisor

    clock = MovedClock(spec["clock_shift"], spec["faketime"]) if moved else None
    following: Alone
    try:
        following = Following(Supervisor([clock] if clock else []))
    except OSError as error:
        following = Alone()
        following.refusal = str(error)
    return Supervision(following, clock)
