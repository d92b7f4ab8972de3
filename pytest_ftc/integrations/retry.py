"""Calling an unreliable service, with retries of transient failures and a circuit breaker."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

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
    """The service is unavailable, busy or broken; `passing` if a retry may succeed, `after` so many seconds."""

    def __init__(self, text: str, *, passing: bool = False, after: float = 0.0) -> None:
        super().__init__(text)
        self.passing = passing
        self.after = after


class Service:
    """One service in a session.  Any error other than `ServiceError` counts as an answer of a working service."""

    def __init__(self, persistence: Persistence, cancelled: Callable[[], bool]) -> None:
        self._persistence = persistence
        self._cancelled = cancelled
        self._breaker = CircuitBreaker(
            fail_max=persistence.failures,
            reset_timeout=persistence.rest,
            exclude=[lambda error: not isinstance(error, ServiceError)],
            throw_new_error_on_trip=False,
        )
        self._last = ""

    def call(self, act: Callable[[], T]) -> T:
        """Call `act` and return its result.  Raises its errors, and ServiceError while the circuit breaker is open."""
        persistence = self._persistence
        retrying = Retrying(
            stop=stop_after_attempt(persistence.attempts),
            wait=self._choose_wait,
            retry=retry_if_exception(self._may_pass),
            sleep=self._sleep,
            reraise=True,
        )
        result: T = retrying(self._call_once, act)
        return result

    def _call_once(self, act: Callable[[], T]) -> T:
        try:
            # Not `call`, which holds a lock until it returns.
            with self._breaker.calling():
                return act()
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
