"""Comparators from plugins, which are asked before the members walker and before diffoscope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pytest_ftc.comparison.excerpt import contrast
from pytest_ftc.model import Difference
from pytest_ftc.model.protocols import Comparator
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.problems import Problems


class DiffWriter(Protocol):
    """Writes the full textual diffs of outputs."""

    def write(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        """Return `difference` with the path of its diff, or with a note why there is none."""


class ComparatorChain:
    """Asks each of the `comparators` in turn; `diffs` writes the full diffs of outputs that none of them handles.

    A comparator that fails, or returns anything but places in the given output, is skipped and listed in `problems`.
    """

    def __init__(self, diffs: DiffWriter | None = None, comparators: Sequence[Comparator] = ()) -> None:
        self._diffs = diffs
        self._comparators = comparators
        self._problems = Problems()

    @property
    def problems(self) -> tuple[str, ...]:
        """The errors of comparators, one sentence each."""
        return self._problems.list()

    def ask(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """Return the result of the first comparator that handles the output; empty if none does."""
        for comparator in self._comparators:
            try:
                found = list(_checked(comparator.examine(difference, control, experiment), difference))
            except Exception as error:
                self._problems.add_failure("comparator", comparator, error)
                continue
            if found:
                return found
        return ()

    def write_diff(self, difference: Difference, control: Path, experiment: Path) -> Difference:
        """Return `difference` with its full diff, or why there is none; a plugin that handles it comes first."""
        found = self.ask(difference, control, experiment)
        if found:
            return replace(difference, diff=next((one.diff for one in found if one.diff), ""))
        return self._diffs.write(difference, control, experiment) if self._diffs else difference


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
