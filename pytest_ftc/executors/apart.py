"""Runs the builds of one artifact in parallel, with a gap of real time between their starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pytest_ftc.model import Action, BuildResult, BuildStatus
from pytest_ftc.protocols import Executor

REAL_GAP = 2.1
"""Seconds.  A zip entry stores steps of two seconds, and file times do not follow a faked clock."""


def run_apart(executor: Executor, actions: Sequence[Action], gap: float = REAL_GAP) -> tuple[BuildResult, ...]:
    """Run `actions` so that any two start at least `gap` seconds apart; the results are in the same order.

    Once a build has not ended well, those that have not started yet are left out: they could not change the verdict.
    """
    turns = [_Turn() for _ in actions]

    def run(index: int) -> BuildResult | None:
        turn = turns[index]
        try:
            if index and not turns[index - 1].await_end_of_gap(gap):
                return None
            result = executor.run(actions[index], turn.start)
            if result.status is not BuildStatus.OK:
                turn.give_up()
            return result
        finally:
            turn.finish()

    with ThreadPoolExecutor(len(actions), thread_name_prefix="ftc-build") as pool:
        return tuple(result for result in pool.map(run, range(len(actions))) if result is not None)


class _Turn:
    """When one build starts, and whether the next may."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._hopeless = threading.Event()
        self._moment = 0.0

    def start(self, _moment: float) -> None:
        self._moment = time.monotonic()
        self._started.set()

    def give_up(self) -> None:
        self._hopeless.set()

    def finish(self) -> None:
        if not self._started.is_set():
            self._hopeless.set()
            self._started.set()

    def await_end_of_gap(self, gap: float) -> bool:
        """Wait until `gap` seconds after this build started; return False when the next one need not run."""
        self._started.wait()
        return not self._hopeless.wait(max(0.0, self._moment + gap - time.monotonic()))
