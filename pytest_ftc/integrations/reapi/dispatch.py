"""When and how often the builds of a session are given to a farm: quotas, lost workers, and stragglers.

How the farm divides its workers between sessions is the farm's business.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from pytest_ftc.integrations.reapi.attempts import Attempt, Dispatched, Times
from pytest_ftc.integrations.reapi.errors import TransientError
from pytest_ftc.model.errors import ExecutionError

T = TypeVar("T")
Launch: TypeAlias = "Callable[[Attempt], Coroutine[Any, Any, T]]"


class QuotaError(ExecutionError):
    """The session has used what it may use of the farm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The limits of a session."""

    max_in_flight: int = 100
    """Executions at the same time, with second attempts; more wait here, first come, first served."""
    max_cpu_seconds: float | None = None
    """CPU seconds of all executions together, or seconds on workers where nobody says more; None for no limit."""
    queue: float = 600.0
    """Seconds that an execution may wait for a worker."""
    retries: int = 2
    """More executions of one build whose worker was lost."""
    first_pause: float = 0.5
    """Seconds: the pause before a retry is random, between 0 and this value, which doubles with each retry."""
    hedged: float = 0.05
    """Share of the executions that may be second attempts for stragglers; 0 for none."""
    step: float = 0.5
    """Seconds between looks at executions that may be late, or may exceed the quota."""


class Dispatcher:
    """Gives builds to a farm; belongs to the thread of one connection."""

    def __init__(self, policy: Policy, past: Callable[[str], Sequence[float]] = lambda artifact: ()) -> None:
        """`past` returns the seconds of an artifact's earlier builds on this farm."""
        self._policy = policy
        self._times = Times(past)
        self._slots = asyncio.Semaphore(policy.max_in_flight)
        self._quota = _Quota(policy)
        self._first = 0
        """First attempts so far."""
        self._second = 0
        """Second attempts so far."""

    @property
    def times(self) -> Mapping[str, Sequence[float]]:
        """The seconds of the builds so far, by artifact, as `past` may return them in the next session."""
        return self._times.new

    async def run(self, artifact: str, launch: Launch[T], *, may_repeat: bool = True) -> Dispatched[T]:
        """Return the first answer of an execution of one build of `artifact`.

        `launch` executes an attempt.  If it raises TransientError, it is called again; if it is late and `may_repeat`,
        it is called again beside it, and whichever answers first wins: the other is cancelled.
        Raises QuotaError, and the last error of `launch`.
        """
        self._quota.check()
        async with self._slots:
            self._quota.check()
            self._first += 1
            race = _Race(launch, self._quota)
            try:
                value, winner = await self._answer(race, artifact, may_repeat)
            finally:
                await race.end()
                if race.has_second:
                    self._slots.release()
            self._times.note(artifact, winner.seconds)
            return Dispatched(value, tuple(race.attempts))

    async def _answer(self, race: _Race[T], artifact: str, may_repeat: bool) -> tuple[T, Attempt]:
        race.start()
        lost = 0
        while True:
            for task, attempt in await race.wait(self._policy.step):
                if not isinstance(_error_of(task), TransientError):
                    return task.result(), attempt
                lost += 1
                if lost > self._policy.retries and not race.is_running():
                    task.result()
            self._quota.check()
            if not race.is_running():
                await asyncio.sleep(random.uniform(0, self._policy.first_pause * 2 ** (lost - 1)))
                self._quota.check()
                race.start()
            elif may_repeat and self._may_hedge(race, artifact):
                await self._slots.acquire()
                self._second += 1
                race.start(second=True)

    def _may_hedge(self, race: _Race[Any], artifact: str) -> bool:
        """Whether the only attempt is late, and there is room for another one, now and within the share of them."""
        if race.has_second or self._slots.locked() or self._second + 1 > 1 + self._policy.hedged * self._first:
            return False
        late = self._times.late_after(artifact) if self._policy.hedged else None
        return late is not None and race.attempts[-1].running() > late


class _Race(Generic[T]):
    """The attempts at one build."""

    def __init__(self, launch: Launch[T], quota: _Quota) -> None:
        self.attempts: list[Attempt] = []
        self.has_second = False
        self._launch = launch
        self._quota = quota
        self._tasks: dict[asyncio.Task[T], Attempt] = {}

    def is_running(self) -> bool:
        """Whether an attempt is."""
        return bool(self._tasks)

    def start(self, *, second: bool = False) -> None:
        """Start an attempt; `second` if one is running."""
        attempt = Attempt(number=len(self.attempts), second=second)
        self.has_second = self.has_second or second
        self.attempts.append(attempt)
        self._quota.start(attempt)
        self._tasks[asyncio.ensure_future(self._launch(attempt))] = attempt

    async def wait(self, seconds: float) -> list[tuple[asyncio.Task[T], Attempt]]:
        """Return the attempts that ended, after at most `seconds`."""
        done, _ = await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return [(task, self._settle(task)) for task in sorted(done, key=lambda task: self._tasks[task].number)]

    async def end(self) -> None:
        """Cancel what still runs, and wait until the farm was told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for task in list(self._tasks):
            self._settle(task)

    def _settle(self, task: asyncio.Task[T]) -> Attempt:
        attempt = self._tasks.pop(task)
        attempt.seconds = attempt.running()
        self._quota.settle(attempt)
        error = _error_of(task)
        attempt.outcome = "cancelled" if task.cancelled() else str(error) if error else "answered"
        return attempt


def _error_of(task: asyncio.Task[Any]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


class _Quota:
    """The CPU seconds of a session."""

    def __init__(self, policy: Policy) -> None:
        self._most = policy.max_cpu_seconds
        self._step = policy.step
        self._running: dict[int, Attempt] = {}
        self._spent = 0.0
        self._looked = 0.0

    def start(self, attempt: Attempt) -> None:
        self._running[id(attempt)] = attempt

    def settle(self, attempt: Attempt) -> None:
        del self._running[id(attempt)]
        self._spent += attempt.seconds if attempt.cpu_seconds is None else attempt.cpu_seconds
        self._looked = 0.0

    def check(self) -> None:
        """Raise QuotaError if what ended and what runs used too much."""
        if self._most is None or time.monotonic() < self._looked + self._step / 2:
            return
        used = self._spent + sum(attempt.running() for attempt in self._running.values())
        if used >= self._most:
            raise QuotaError(
                f"the session has used {used:.1f} s of workers; it may use {self._most:g} s",
                advice="Raise max_cpu_seconds in [tool.ftc.remote], or verify fewer artifacts at once.",
            )
        self._looked = time.monotonic()
