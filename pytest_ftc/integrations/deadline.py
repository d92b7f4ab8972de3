"""A deadline around a call of a library that has none of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_STEP = 0.1
"""Seconds between checks whether the session has ended."""


def call_within(seconds: float, call: Callable[[], T], cancelled: Callable[[], bool] = lambda: False) -> T:
    """Return what `call` returns, or raise what it raises.

    Raises TimeoutError after `seconds`, and if the session is `cancelled`; nobody waits for the call then.
    """
    ended: list[T | BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            ended.append(call())
        except BaseException as error:
            ended.append(error)
        done.set()

    threading.Thread(target=run, daemon=True, name="ftc-deadline").start()
    end = time.monotonic() + seconds
    while not done.wait(min(_STEP, max(0.0, end - time.monotonic()))):
        if cancelled():
            raise TimeoutError("the session ended")
        if time.monotonic() >= end:
            raise TimeoutError(f"no answer within {seconds:g} s")
    (outcome,) = ended
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
