"""The entry point: two files in, the innermost things that differ out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.comparison.members.derived import put_derived_last
from pytest_ftc.comparison.members.engine import compare_plain, examine
from pytest_ftc.comparison.members.limits import Budget, Limits, OutOfTimeError
from pytest_ftc.comparison.members.plain import Found, clip
from pytest_ftc.comparison.members.position import Position
from pytest_ftc.comparison.members.span import Span, whole_file
from pytest_ftc.model import Field, Place

_GRACE = 5.0
"""Seconds for finding at least one difference after the time is over."""
_ALL_VALUES = 32 << 20
"""Bytes of all values together above which each is cut to what follows."""
_SHORT_VALUE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """What was found."""

    leaves: tuple[Place, ...]
    """The innermost differences; those that merely follow from others last.  Empty only for equal files."""
    cut: tuple[str, ...] = ()
    """What was cut short, and by which limit; one sentence each."""


def walk(control: Path, experiment: Path, name: str, limits: Limits | None = None) -> Walk:
    """Compare two files that are not trusted, down to the innermost members that differ.

    `name` is the output's file name: some formats are known by its extension.  Nothing is extracted to a path that an
    archive names, and no link is followed.  Raises OSError when a file cannot be read.
    """
    budget = Budget(limits or Limits())
    with open(control, "rb", 0) as one, open(experiment, "rb", 0) as other, budget.temporary():
        leaves = tuple(_collect(whole_file(one), whole_file(other), name, budget))
    return Walk(leaves=put_derived_last(leaves), cut=tuple(budget.cut))


def _collect(one: Span, other: Span, name: str, budget: Budget) -> Iterator[Place]:
    count = total = 0
    try:
        for leaf in examine(one, other, Position(name=name), budget):
            yield leaf if total < _ALL_VALUES else _shorten(leaf)
            total += len(leaf.control) + len(leaf.experiment)
            count += 1
            if count == budget.limits.leaves:
                budget.tell(f"only the first {count} differences are listed")
                return
    except OutOfTimeError as error:
        budget.tell(str(error))
        if not count:
            yield from _last_resort(one, other, budget, str(error))


def _shorten(leaf: Place) -> Place:
    control, experiment = clip(leaf.control, leaf.experiment, _SHORT_VALUE)
    return replace(leaf, control=control, experiment=experiment)


def _last_resort(one: Span, other: Span, budget: Budget, note: str) -> Iterator[Place]:
    budget.deadline += _GRACE
    count = 0
    try:
        for leaf in compare_plain(one, other, Position(name=""), budget, note):
            count += 1
            yield leaf
    except OutOfTimeError:
        if not count:
            found = Found(Field.CONTENT, "somewhere in the file", b"", b"", f"{note}, before a difference was met")
            yield Position(name="").leaf(found, "binary")
