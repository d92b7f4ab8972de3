"""Runs the builds of one artifact in parallel, with a gap in real time between their starts."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from pytest_ftc.model import Action, BuildResult, BuildStatus
from pytest_ftc.model.protocols import Executor, MayStart, at_once
from pytest_ftc.model.timing.collector import here

APART = 2.0
"""Seconds after which times differ wherever they are stored, as in a zip entry, in steps of two seconds."""
REAL_GAP = 2.1
"""Seconds between starts, so that the moments that launchers note are `APART`; file times show the real clock."""


def run_apart(
    executor: Executor,
    actions: Sequence[Action],
    gap: float = REAL_GAP,
    *,
    needs_gap: Callable[[BuildResult], bool] = lambda _: True,
    after_first: Callable[[BuildResult], None] = lambda _: None,
) -> tuple[BuildResult, ...]:
    """Run `actions` so that any two start at least `gap` seconds apart; the results are in the same order.

    The next build's environment is set up during the gap.  After a failed build, those that have not started are
    skipped, because they could not change the verdict.  Once the first build has succeeded, the others wait no longer
    unless it `needs_gap`, and `after_first` is called.
    """
    turns = [_Turn() for _ in actions]

    def run(index: int) -> BuildResult | None:
        turn = turns[index]
        try:
            before = turns[index - 1] if index else None
            if before and not before.await_start():
                return None
            may_start = partial(before.await_end_of_gap, gap) if before else at_once
            result = executor.run(actions[index], turn.start, may_start)
            if before and before.is_hopeless and not turn.has_started:
                return None
            if result.status is not BuildStatus.OK:
                turn.give_up()
            elif index == 0:
                if not needs_gap(result):
                    for each in turns:
                        each.end_gap()
                after_first(result)
            return result
        finally:
            turn.finish()

    with ThreadPoolExecutor(len(actions), thread_name_prefix="ftc-build") as pool:
        return tuple(result for result in pool.map(here(run), range(len(actions))) if result is not None)


def not_before(moment: float) -> MayStart:
    """Return what lets a build start from `moment` on, in seconds since 1970."""

    def may_start(patience: float) -> bool | None:
        left = moment - time.time()
        time.sleep(max(0.0, min(left, patience)))
        return True if left <= patience else None

    return may_start


class _Turn:
    """The start of one build, and the permission for the next."""

    def __init__(self) -> None:
        self._started = threading.Event()
        self._settled = threading.Event()
        """Whether it is known, before the gap has passed, what becomes of the next build."""
        self._hopeless = False
        self._moment = 0.0

    @property
    def has_started(self) -> bool:
        return self._started.is_set()

    @property
    def is_hopeless(self) -> bool:
        return self._hopeless

    def await_start(self) -> bool:
        """Wait until this build starts; return False if the next one need not run."""
        self._started.wait()
        return not self._hopeless

    def start(self, _moment: float) -> None:
        self._moment = time.monotonic()
        self._started.set()

    def give_up(self) -> None:
        """Let the next build not run."""
        self._hopeless = True
        self._settled.set()

    def end_gap(self) -> None:
        """Let the next build start as soon as this one has started."""
        self._settled.set()

    def finish(self) -> None:
        if not self._started.is_set():
            self.give_up()
            self._started.set()

    def await_end_of_gap(self, gap: float, patience: float) -> bool | None:
        """Return True once `gap` seconds have passed or need not, or False if the next build need not run.

        Return None if that is unknown after `patience` seconds.
        """
        left = self._moment + gap - time.monotonic()
        if self._settled.wait(max(0.0, min(left, patience))):
            return not self._hopeless
        return True if left <= patience else None
