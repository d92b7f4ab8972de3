"""The executions of a build on a farm, and how long builds take there."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Generic, TypeVar

from pytest_ftc.integrations.reapi.operations import COMPLETED, WAITING

T = TypeVar("T")
_OWN_SAMPLES = 5
"""Builds of one artifact whose times say more than those of all others."""
_SAMPLES = 20
"""Builds of a session whose times say when another one is late."""
_MOST = 1000
"""Times that are kept: the last ones."""


@dataclass(slots=True)
class Attempt:
    """One execution of a build, for the record; its user tells it what the farm says."""

    number: int
    """Counted from 0; to be part of the action's salt, or the farm would answer two attempts with one execution."""
    second: bool
    """Whether it was started since an earlier one was late."""
    started: float = field(default_factory=time.monotonic)
    stage: str = ""
    since: float | None = None
    """When a worker began, on the clock of `started`; None if none has."""
    seconds: float = 0.0
    """On a worker, at the end."""
    cpu_seconds: float | None = None
    """As the worker says; None for `seconds`."""
    outcome: str = ""
    """``answered``, ``cancelled``, or why it was lost."""

    def enter(self, stage: str) -> None:
        """Note the stage of the execution, in the words of the farm."""
        if stage in WAITING:
            self.since = None
        elif self.since is None:
            # Some farms say nothing before the end.
            self.since = self.started if stage == COMPLETED else time.monotonic()
        self.stage = stage

    def running(self) -> float:
        """Return the seconds since a worker began; since the start, with a farm that does not say."""
        since = self.since or (None if self.stage else self.started)
        return time.monotonic() - since if since else 0.0


@dataclass(frozen=True, slots=True)
class Dispatched(Generic[T]):
    """A build's answer."""

    value: T
    attempts: Sequence[Attempt]
    """All, in the order of their starts."""

    def losses(self) -> tuple[str, ...]:
        """Return why each lost attempt was lost."""
        return tuple(each.outcome for each in self.attempts if each.outcome not in ("answered", "cancelled"))

    def queued_since(self, asked: float) -> float:
        """Return the seconds from `asked`, on the clock of `Attempt.started`, until a worker began."""
        since = next(each.since for each in self.attempts if each.outcome == "answered")
        return 0.0 if since is None else max(0.0, since - asked)

    def tell(self) -> tuple[str, ...]:
        """Return a sentence about second attempts, if there was one."""
        if not self.was_late():
            return ()
        answered = next(each for each in self.attempts if each.outcome == "answered")
        which = "the second" if answered.second else "the first"
        return (f"the build was late on the farm and was given to a second worker; {which} answered first",)

    def was_late(self) -> bool:
        """Whether a second attempt was made since the first was late."""
        return any(each.second for each in self.attempts)


class Times:
    """How long builds take on the farm, in seconds on a worker."""

    def __init__(self, past: Callable[[str], Sequence[float]]) -> None:
        self._past = past
        self.new: dict[str, list[float]] = {}
        """The last ones of this session, by artifact."""
        self._own: dict[str, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=_MOST)
        self._late: dict[str, float | None] = {}
        """By artifact, until another build ends; empty for those without enough builds of their own."""

    def note(self, artifact: str, seconds: float) -> None:
        """Note the time of a build that ended."""
        self._of(artifact).append(seconds)
        self.new.setdefault(artifact, []).append(seconds)
        del self.new[artifact][:-_MOST]
        self._all.append(seconds)
        self._late.pop(artifact, None)
        self._late.pop("", None)

    def late_after(self, artifact: str) -> float | None:
        """Return the seconds after which a build of `artifact` is late: the 95th percentile of those before it.

        These are earlier builds of the artifact if there are enough, else all of this session; None if too few.
        """
        enough = len(self._of(artifact)) >= _OWN_SAMPLES
        key = artifact if enough else ""
        if key not in self._late:
            known = self._of(artifact) if enough else self._all if len(self._all) >= _SAMPLES else None
            self._late[key] = quantiles(known, n=20, method="inclusive")[-1] if known else None
        return self._late[key]

    def _of(self, artifact: str) -> deque[float]:
        if artifact not in self._own:
            self._own[artifact] = deque(self._past(artifact), _MOST)
        return self._own[artifact]
