"""Comparators from plugins, which are asked before the built-in one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.excerpt import contrast
from pytest_ftc.model import Difference
from pytest_ftc.model.protocols import Comparator
from pytest_ftc.model.support.printable import shorten


class ComparatorChain:
    """Asks each of the `others` in turn, then the `last`.

    A comparator that fails, or returns anything but places in the given output, is skipped and listed in `problems`.
    """

    def __init__(self, last: Comparator, others: Sequence[Comparator] = ()) -> None:
        self._last = last
        self._others = others
        self._problems: dict[str, None] = {}
        self._lock = threading.Lock()

    @property
    def problems(self) -> tuple[str, ...]:
        """The errors of comparators, one sentence each."""
        with self._lock:
            return tuple(self._problems)

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """See `pytest_ftc.model.protocols.Comparator`."""
        return self.ask_others(difference, control, experiment) or self._last.examine(difference, control, experiment)

    def ask_others(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """Return the result of the first of the others that handles the output; empty if none does."""
        for comparator in self._others:
            try:
                found = list(_checked(comparator.examine(difference, control, experiment), difference))
            except Exception as error:
                reason = f"{type(error).__name__}: {shorten(str(error))}"
                with self._lock:
                    self._problems[f"the comparator {type(comparator).__name__} failed: {reason}"] = None
                continue
            if found:
                return found
        return ()


def _checked(found: object, asked: Difference) -> Iterator[Difference]:
    """Yield the places found, safe to print: their values come from an artifact.  Raises TypeError, ValueError."""
    if found is not None and not isinstance(found, Sequence):
        raise TypeError(f"expected a sequence of Difference, found {found!r}")
    for one in found or ():
        if not isinstance(one, Difference):
            raise TypeError(f"expected a sequence of Difference, found {one!r} in it")
        if (one.output, one.kind) != (asked.output, asked.kind):
            raise ValueError(f"expected places in {asked.output}, found one in {one.output}")
        evidence = contrast(one.evidence.control, one.evidence.experiment) if one.evidence else None
        yield replace(
            one,
            control=asked.control,
            experiment=asked.experiment,
            member=shorten(one.member),
            location=shorten(one.location),
            note=shorten(one.note),
            evidence=evidence,
        )
