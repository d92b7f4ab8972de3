"""A store that sessions share over the network: it may be slow, away or wrong, and is then done without."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pybreaker import STATE_OPEN, CircuitBreaker, CircuitBreakerError

from pytest_ftc.model.errors import FtcError, MissingError
from pytest_ftc.model.protocols import Store
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.problems import Problems

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TierLimits:
    """How long a session waits for the remote store; in seconds."""

    failures: int = 3
    """After so many failures in a row it is not used for `rest` seconds; then one attempt decides."""
    rest: float = 30.0
    slow: float = 2.0
    """Verifications that wait longer than this for an answer, or for a failure, are delayed by it."""
    delay: float = 20.0
    """The delay of all verifications together after which it is not used any more."""
    flush: float = 15.0
    """How long the end of the session waits for what is not yet stored there."""
    waiting: int = 20_000
    """Number of contents and entries that may wait to be stored there."""


class RemoteTier:
    """The remote store, connected to when it is first needed.  No failure of it leaves this class."""

    def __init__(self, connect: Callable[[], Store], limits: TierLimits) -> None:
        self._connect = connect
        self._limits = limits
        self._store: Store | None = None
        self._off = False
        self._is_closed = False
        self._spent = 0.0
        self._failures = 0
        self._first = ""
        self._lock = threading.Lock()
        self._problems = Problems()
        self._breaker = CircuitBreaker(
            fail_max=limits.failures, reset_timeout=limits.rest, exclude=[MissingError], throw_new_error_on_trip=False
        )

    @property
    def is_paused(self) -> bool:
        """Whether the remote store is not used now because it failed repeatedly."""
        return self._breaker.current_state == STATE_OPEN

    @property
    def problems(self) -> tuple[str, ...]:
        """Problems, one sentence each; of failed attempts only the first."""
        with self._lock:
            more = f" ({self._failures} times)" if self._failures > 1 else ""
            first = (f"the remote store could not be used{more}: {self._first}",) if self._failures else ()
        return (*first, *self._problems.list())

    def ask(self, act: Callable[[Store], T], otherwise: T, *, may_last: bool = False) -> T:
        """Return what `act` does for a verification that waits for it, or `otherwise` if that fails.

        What a success takes is no delay if it `may_last`, such as a transfer.  Raises MissingError if `act` does.
        """
        began = time.monotonic()
        result, failed = self.attempt(act, otherwise)
        seconds = time.monotonic() - began
        if failed or (seconds > self._limits.slow and not may_last):
            self._charge(seconds)
        return result

    def attempt(self, act: Callable[[Store], T], otherwise: T) -> tuple[T, bool]:
        """Return what `act` does, or `otherwise`, and whether that failed.  Raises MissingError if `act` does."""
        if self._off:
            return otherwise, True
        try:
            # Not `call`, which blocks other threads until it returns.
            with self._breaker.calling():
                return act(self._connected()), False
        except CircuitBreakerError:
            return otherwise, True
        except MissingError:
            raise
        except FtcError as error:
            self._fail(error.message)
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        return otherwise, True

    def note(self, problem: str) -> None:
        """Note a `problem` of one sentence."""
        self._problems.add(problem)

    def close(self) -> None:
        """Disconnect; calls that still run end with an error, and no other starts."""
        self._off = True
        with self._lock:
            self._is_closed = True
            store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except Exception as error:
                self._problems.add(f"the remote store was not left properly: {shorten(str(error), 300)}")

    def _connected(self) -> Store:
        with self._lock:
            if self._store is None:
                try:
                    self._store = self._connect()
                except FtcError:
                    self._off = True  # an extra or a secret is missing, which this session does not change
                    raise
            return self._store

    def _fail(self, reason: str) -> None:
        with self._lock:
            if self._is_closed:
                return  # it was interrupted by the end of the session
            self._failures += 1
            self._first = self._first or shorten(reason, 300)

    def _charge(self, seconds: float) -> None:
        with self._lock:
            self._spent += seconds
            late = self._spent > self._limits.delay and not self._off
            self._off = self._off or late
        if late:
            self._problems.add(
                f"the remote store was not used any more after it had delayed verifications by {self._spent:.0f} s"
            )
