"""Access to the store that costs builds when the store fails, and never a verdict."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from pybreaker import CircuitBreaker, CircuitBreakerError

from pytest_ftc.model.errors import StoreUnavailableError

T = TypeVar("T")

_FAILURES, _REST = 3, 30
"""After so many failures in a row the store is not used for so many seconds; then one attempt decides."""


class StoreGuard:
    """Uses the store, or continues without it; a store that fails repeatedly is not used for a while."""

    def __init__(self) -> None:
        self._breaker = CircuitBreaker(fail_max=_FAILURES, reset_timeout=_REST)
        self._lock = threading.Lock()
        self._problems: dict[str, None] = {}

    @property
    def problems(self) -> tuple[str, ...]:
        """What went wrong, one sentence each."""
        return tuple(self._problems)

    def attempt(self, act: Callable[[], T], otherwise: T) -> T:
        """Return the result of `act`, or `otherwise` when the store fails or is not to be used."""
        try:
            # Not `call`, which lets nobody else in until it returns.
            with self._breaker.calling():
                return act()
        except (StoreUnavailableError, CircuitBreakerError) as error:
            if isinstance(error, StoreUnavailableError):
                with self._lock:
                    self._problems[f"the verification cache is incomplete: {error.message}"] = None
            return otherwise
