"""How much was built in a session, and how much was not built again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftc.model.verification import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The builds of a session."""

    run: int
    """Builds that ran."""
    reused: int
    """Builds of earlier sessions that cached verdicts rest on."""
    retried: int
    """Builds that ran more than once, for faults around them."""
    saved_seconds: float
    """How long those of earlier sessions took."""


def count_work(verifications: Sequence[Verification]) -> Work:
    """Return the work behind `verifications`."""
    own = [build for one in verifications if not one.cached for build in one.builds]
    earlier = [build for one in verifications if one.cached for build in one.builds]
    return Work(
        run=len(own),
        reused=len(earlier),
        retried=sum(build.attempts > 1 for build in own),
        saved_seconds=round(sum(build.seconds for build in earlier), 3),
    )
