"""Wraps an executor and reports which builds are running, and since when."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_ftc.model import Action, BuildResult, Role
from pytest_ftc.model.progress import Load, Progress
from pytest_ftc.model.protocols import Executor, MayStart, at_once

_FIRST = (Role.CONTROL, Role.EXPERIMENT)
"""Roles of the first builds; all others belong to a diagnosis."""


@dataclass(slots=True)
class _Stage:
    """The progress of one artifact."""

    since: float
    asked: int = 0
    """The number of requested builds that have not ended: they are running or waiting."""
    built: int = 0
    diagnosed: bool = False
    running: dict[str, tuple[Role, float]] = field(default_factory=dict)
    """Running builds by ID, with role and start time of the command."""


class ObservedExecutor:
    """An executor whose builds can be observed from another thread.

    `held_by_others` returns whether waiting builds wait for other sessions or workers.
    """

    def __init__(self, inner: Executor, held_by_others: Callable[[], bool] = lambda: False) -> None:
        self._inner = inner
        self._held_by_others = held_by_others
        self._stages: dict[str, _Stage] = {}
        self._lock = threading.Lock()

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`."""

        def note(moment: float) -> None:
            with self._lock:
                self._stage(action.artifact).running[action.id] = (action.role, time.monotonic())
            started(moment)

        with self._lock:
            stage = self._stage(action.artifact)
            stage.asked += 1
            stage.diagnosed |= action.role not in _FIRST
        try:
            return self._inner.run(action, note, may_start)
        finally:
            with self._lock:
                stage = self._stage(action.artifact)
                stage.asked -= 1
                stage.built += 1
                stage.since = time.monotonic()
                stage.running.pop(action.id, None)

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._inner.cancel()

    @property
    def asked(self) -> int:
        """The number of requested builds that have not ended."""
        with self._lock:
            return sum(stage.asked for stage in self._stages.values())

    @property
    def load(self) -> Load:
        """How much there is to do."""
        with self._lock:
            stages = list(self._stages.values())
            running = sum(len(stage.running) for stage in stages)
            asked = sum(stage.asked for stage in stages)
            return Load(waiting=max(0, asked - running), running=running, ended=sum(stage.built for stage in stages))

    def look(self, name: str) -> Progress:
        """Return the progress of the artifact `name`, whose verification is running."""
        held = self._held_by_others()
        with self._lock:
            stage = self._stage(name)
            since = min((moment for _, moment in stage.running.values()), default=stage.since)
            held_up = held and stage.asked > len(stage.running)
            return Progress(name=name, doing=_describe(stage), seconds=time.monotonic() - since, held_up=held_up)

    def _stage(self, name: str) -> _Stage:
        if name not in self._stages:
            self._stages[name] = _Stage(since=time.monotonic())
        return self._stages[name]


def _describe(stage: _Stage) -> str:
    if stage.diagnosed:
        return "diagnosing"
    roles = [role.value for role in _FIRST if any(role is one for one, _ in stage.running.values())]
    if roles:
        return f"{' and '.join(roles)} build"
    if stage.asked:
        return ""
    return "comparing" if stage.built else "preparing"
