"""Retries builds that failed for transient reasons, and reports the attempts."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.transient_faults import ENDED, UNWANTED, why_transient
from pytest_ftc.model import Action, BuildResult, BuildStatus
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.model.timing.collector import timing
from pytest_ftc.model.timing.phase import PhaseKind, Value

if TYPE_CHECKING:
    from tenacity import RetryCallState


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how soon to retry."""

    retries: int = 2
    """Most retries of one build."""
    budget: int = 20
    """Most retries in a session: if everything fails, retrying only adds load."""
    first_wait: float = 0.5
    """The wait is random, between 0 and this number of seconds, doubled with each attempt ("full jitter").

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    longest_wait: float = 30.0
    """Seconds."""


class RetryingExecutor:
    """Runs builds with another executor, and retries those that fail for transient reasons.

    Each attempt is a separate build with its own ID, folder and log.
    """

    def __init__(self, inner: Executor, patience: Patience) -> None:
        self._inner = inner
        self._patience = patience
        self._left = patience.budget
        self._lock = threading.Lock()
        self._cancelled = threading.Event()

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """See `pytest_ftc.model.protocols.Executor`; `started` is called at every attempt."""
        facts: dict[str, Value] = {"artifact": action.artifact, "role": action.role.value}
        with timing().phase(PhaseKind.BUILD, action.id, span=action.span, **facts) as opened:
            result = self._run(action, started, may_start)
            opened.set(**_describe(result), attempts=result.attempts)
            opened.fail(_why(result))
            return result

    def _run(self, action: Action, started: Callable[[float], None], may_start: MayStart) -> BuildResult:
        # Only here: sessions in which all is cached build nothing.
        from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_random_exponential
        from tenacity.nap import sleep_using_event

        attempts = _Attempts(action, self._inner, started, may_start)
        retrying = Retrying(
            stop=stop_after_attempt(self._patience.retries + 1),
            wait=wait_random_exponential(multiplier=self._patience.first_wait, max=self._patience.longest_wait),
            retry=retry_if_result(lambda result: self._is_worth_another(action, result)),
            sleep=sleep_using_event(self._cancelled),
            before_sleep=attempts.remember,
            retry_error_callback=_last_result,
        )
        return attempts.summarize(retrying(attempts.run_next))

    def cancel(self) -> None:
        """See `pytest_ftc.model.protocols.Executor`."""
        self._cancelled.set()
        self._inner.cancel()

    def _is_worth_another(self, action: Action, result: BuildResult) -> bool:
        transient = why_transient(result, network=action.environment.network, fetches=action.fetches)
        if transient is None or self._cancelled.is_set():
            return False
        with self._lock:
            self._left -= 1
            return self._left >= 0


def _last_result(state: RetryCallState) -> BuildResult:
    assert state.outcome is not None
    return state.outcome.result()  # type: ignore[no-any-return]


def _why(result: BuildResult) -> str:
    """Return why a phase failed; of reasons only our own words, since others may quote the build."""
    if result.status is BuildStatus.OK or result.reason == UNWANTED:
        return ""
    return ENDED if result.reason == ENDED else result.status.value


def _describe(result: BuildResult) -> dict[str, Value]:
    """Return the attributes of a build, or of an attempt at it."""
    return {
        "status": "unwanted" if result.reason == UNWANTED else result.status.value,
        **({} if result.exit_code is None else {"exit_code": result.exit_code}),
        **({"worker": result.worker} if result.worker else {}),
        "queue_seconds": result.queue_seconds,
        "command_started": result.started,
        "command_seconds": result.seconds,
    }


class _Attempts:
    """The attempts at one build."""

    def __init__(self, action: Action, inner: Executor, started: Callable[[float], None], may_start: MayStart) -> None:
        self._action = action
        self._inner = inner
        self._started = started
        self._may_start = may_start
        self._before: list[BuildResult] = []

    def run_next(self) -> BuildResult:
        number = len(self._before) + 1
        again = f"-attempt-{number}" if number > 1 else ""
        action = replace(self._action, id=f"{self._action.id}{again}")
        with timing().phase(PhaseKind.ATTEMPT, action.id, number=number) as opened:
            result = self._inner.run(action, self._started, self._may_start)
            opened.set(**_describe(result))
            opened.fail(_why(result))
            return result

    def remember(self, state: RetryCallState) -> None:
        result = _last_result(state)
        if result.blobs:
            remove_tree(result.blobs)
        self._before.append(result)

    def summarize(self, last: BuildResult) -> BuildResult:
        """Return the last result, with the outcome of the previous attempts."""
        tried = [*self._before, last]
        if self._before and last.status is BuildStatus.LOST and last.reason in (ENDED, UNWANTED):
            tried.pop()  # it says nothing; the previous attempt is the result
        *before, final = tried
        return replace(
            final,
            id=self._action.id,
            attempts=len(tried),
            queue_seconds=sum(result.queue_seconds for result in tried),
            failed_before=tuple(result.reason for result in before if result.status is BuildStatus.FAILED),
            lost_before=tuple(result.reason for result in before if result.status is BuildStatus.LOST),
        )
