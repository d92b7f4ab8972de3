"""Calling a service that may fail: again after a fault that may pass, and not for a while after several in a row."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

T = TypeVar("T")

_STEP = 0.1
"""Seconds between two looks whether the session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """How often a service is called."""

    attempts: int = 3
    """Of one call, where the fault may pass."""
    first_wait: float = 0.5
    """Seconds; the wait is drawn from 0 to this, doubled with each attempt ("full jitter").

    See https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    """
    longest_wait: float = 10.0
    """Seconds."""
    failures: int = 3
    """After so many faults in a row the service is left alone."""
    rest: float = 30.0
    """For so many seconds; then one call decides whether it is well again.  Seconds."""


class ServiceError(Exception):
    """The service did not do its part, be it not there, busy or broken; `passing` where another try soon may help."""

    def __init__(self, text: str, *, passing: bool = False) -> None:
        super().__init__(text)
        self.passing = passing


class Service:
    """One service, as a session knows it.  Any other error than `ServiceError` is an answer: the service is well."""

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
        """Return what `act` returns.  Raises what it raises, and ServiceError without a call while it is not used."""
        persistence = self._persistence
        retrying = Retrying(
            stop=stop_after_attempt(persistence.attempts),
            wait=wait_random_exponential(multiplier=persistence.first_wait, max=persistence.longest_wait),
            retry=retry_if_exception(lambda error: isinstance(error, ServiceError) and error.passing),
            sleep=self._sleep,
            reraise=True,
        )
        result: T = retrying(self._call_once, act)
        return result

    def _call_once(self, act: Callable[[], T]) -> T:
        try:
            # Not `call`, which lets nobody else in until it returns.
            with self._breaker.calling():
                return act()
        except CircuitBreakerError:
            told = f"it failed {self._persistence.failures} times in a row and is not used for a while: {self._last}"
            raise ServiceError(told) from None
        except ServiceError as error:
            self._last = str(error)
            raise

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._cancelled() and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, _STEP))
