"""Access to the store in which a failing store costs extra builds, but never changes a verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from pybreaker import STATE_OPEN, CircuitBreaker, CircuitBreakerError

from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.store import StoreWrites
from pytest_ftc.model.support.problems import Problems

T = TypeVar("T")

_FAILURES, _REST = 3, 30
"""After this many failures in a row, the store is not used for this many seconds; then one attempt decides."""


class StoreGuard:
    """Uses the store, or continues without it; a store that fails repeatedly is not used for a while."""

    def __init__(self) -> None:
        self._breaker = CircuitBreaker(fail_max=_FAILURES, reset_timeout=_REST)
        self._problems = Problems()
        self._writes = StoreWrites()
        self._lock = threading.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems, one sentence each."""
        return self._problems.list()

    @property
    def is_paused(self) -> bool:
        """Whether the store is not used now because it failed repeatedly."""
        return self._breaker.current_state == STATE_OPEN

    @property
    def writes(self) -> StoreWrites:
        """The writes so far, and how many of them failed."""
        return self._writes

    def write(self, act: Callable[[], T]) -> T | None:
        """Return the result of `act`, which writes to the store, or None if that fails; the write is counted."""
        written: list[T] = []
        self.attempt(lambda: written.append(act()), None)
        with self._lock:
            self._writes = self._writes.plus(StoreWrites(attempted=1, failed=0 if written else 1))
        return written[0] if written else None

    def attempt(self, act: Callable[[], T], otherwise: T) -> T:
        """Return the result of `act`, or `otherwise` if the store fails or must not be used."""
        try:
            # Not `call`, which blocks other threads until it returns.
            with self._breaker.calling():
                return act()
        except (StoreUnavailableError, CircuitBreakerError) as error:
            if isinstance(error, StoreUnavailableError):
                self._problems.add(f"the verification cache is incomplete: {error.message}")
            return otherwise
