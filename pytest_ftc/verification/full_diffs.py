"""The differences of a verification: a place for each, with the full diff of its output."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.places import show_values
from pytest_ftc.model import Difference, Place
from pytest_ftc.model.timing.collector import here

Written: TypeAlias = "Callable[[Difference], Difference]"
"""Returns a difference with its full diff, or with a note on why there is none, once that is known."""


class FullDiffs:
    """Writes the full diffs of outputs, for at most `seconds`, one after the other."""

    def __init__(self, comparators: ComparatorChain, seconds: float) -> None:
        self._comparators = comparators
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def add(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        """Return `difference`, between the two files, with its full diff, or with a note on why there is none."""
        if time.monotonic() > self._end:
            return replace(difference, note=f"no full diff: those of other outputs took {self._seconds:g} s")
        return self._comparators.write_diff(difference, control, experiment)

    @contextmanager
    def in_background(self, asked: Sequence[tuple[Difference, tuple[Path, Path]]]) -> Iterator[Written]:
        """Write what is `asked` while other work goes on; yield what returns the written diff of a difference."""
        with ThreadPoolExecutor(1, thread_name_prefix="ftc-full-diffs") as pool:
            running = {difference: pool.submit(here(self.add), difference, *files) for difference, files in asked}
            try:
                yield lambda difference: running[difference].result() if difference in running else difference
            finally:
                pool.shutdown(wait=False, cancel_futures=True)


def place(difference: Difference, leaves: Sequence[Place]) -> list[Difference]:
    """Return the `difference` of an output at each of its places; the first has any note on the diff."""
    return [
        replace(
            difference,
            member=leaf.member,
            location=leaf.location,
            evidence=show_values(leaf),
            note="; ".join(filter(None, (leaf.note, difference.note if leaf is leaves[0] else ""))),
            numbers=leaf.numbers,
        )
        for leaf in leaves
    ]
