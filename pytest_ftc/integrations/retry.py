"""Calling an unreliable service, with retries of transient failures and a circuit breaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from pybreaker import STATE_OPEN, CircuitBreaker, CircuitBreakerError
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

T = TypeVar("T")

_STEP = 0.1
"""Seconds between checks whether the session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """Limits of retries and of the circuit breaker."""

    attempts: int = 3
    """Attempts of one call if its failures are transient."""
    first_wait: float = 0.5
    """Seconds: the wait is random between 0 and this value, which doubles with each attempt ("full jitter").

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    longest_wait: float = 10.0
    """Longest wait, in seconds."""
    longest_asked: float = 60.0
    """Longest wait that a service may ask for, in seconds; for one that asks for more there is no retry."""
    failures: int = 3
    """Consecutive failures after which the circuit breaker opens."""
    rest: float = 30.0
    """Seconds for which the circuit breaker stays open; then one call decides whether it closes."""


class ServiceError(Exception):
    """The service is unavailable, busy or broken; `passing` if a retry may succeed, `after` so many seconds.

    One that is only `busy` works: that does not count for the circuit breaker.
    """

    def __init__(self, text: str, *, passing: bool = False, after: float = 0.0, busy: bool = False) -> None:
        super().__init__(text)
        self.passing = passing
        self.after = after
        self.busy = busy


class Service:
    """One service in a session.  Any error other than `ServiceError` counts as an answer of a working service."""

    def __init__(self, persistence: Persistence, cancelled: Callable[[], bool]) -> None:
        self._persistence = persistence
        self._cancelled = cancelled
        self._breaker = CircuitBreaker(
            fail_max=persistence.failures,
            reset_timeout=persistence.rest,
            exclude=[lambda error: not isinstance(error, ServiceError) or error.busy],
            throw_new_error_on_trip=False,
        )
        self._last = ""

    @property
    def is_paused(self) -> bool:
        """Whether the service is not called now because it failed too often."""
        return self._breaker.current_state == STATE_OPEN

    def call(self, act: Callable[[], T]) -> T:
        """Call `act` and return its result.  Raises its errors, and ServiceError while the circuit breaker is open."""
        result: T = Retrying(**self._policy(), sleep=self._sleep)(self._call_once, act)
        return result

    async def call_async(self, act: Callable[[], Awaitable[T]]) -> T:
        """Do as `call` does, for an `act` that is asynchronous; calls may run at the same time."""
        result: T = await AsyncRetrying(**self._policy(), sleep=asyncio.sleep)(self._call_once_async, act)
        return result

    def _policy(self) -> dict[str, Any]:
        return {
            "stop": stop_after_attempt(self._persistence.attempts),
            "wait": self._choose_wait,
            "retry": retry_if_exception(self._may_pass),
            "reraise": True,
        }

    def _call_once(self, act: Callable[[], T]) -> T:
        with self._attempt():
            return act()

    async def _call_once_async(self, act: Callable[[], Awaitable[T]]) -> T:
        with self._attempt():
            return await act()

    @contextmanager
    def _attempt(self) -> Iterator[None]:
        try:
            # Not `call`, which holds a lock until it returns.
            with self._breaker.calling():
                yield
        except CircuitBreakerError:
            text = f"it failed {self._persistence.failures} times in a row and is paused: {self._last}"
            raise ServiceError(text) from None
        except ServiceError as error:
            self._last = str(error)
            raise

    def _may_pass(self, error: BaseException) -> bool:
        return isinstance(error, ServiceError) and error.passing and error.after <= self._persistence.longest_asked

    def _choose_wait(self, state: RetryCallState) -> float:
        limits = self._persistence
        own = wait_random_exponential(multiplier=limits.first_wait, max=limits.longest_wait)(state)
        error = state.outcome.exception() if state.outcome else None
        return max(own, error.after) if isinstance(error, ServiceError) else own

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._cancelled() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP))
