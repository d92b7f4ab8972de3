"""The entry point: compares two files and returns the innermost differences."""

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
from pytest_ftc.comparison.members.twins import Twin
from pytest_ftc.model import Field, Place
from pytest_ftc.model.place import FileFormat

_GRACE = 5.0
"""Extra seconds to find at least one difference when the time is up."""
_ALL_VALUES = 32 << 20
"""Bytes of all values together; above this, each value is cut to `_SHORT_VALUE`."""
_SHORT_VALUE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The result of a walk."""

    leaves: tuple[Place, ...]
    """The innermost differences; those that only follow from others come last.  Empty only for equal files."""
    cut: tuple[str, ...] = ()
    """What was not examined completely, and which limit was reached; one sentence each."""
    twins: tuple[Twin, ...] = ()
    """The contents that differ: the files, members, and what is compressed in them."""


def walk(control: Path, experiment: Path, name: str, limits: Limits | None = None) -> Walk:
    """Compare two untrusted files down to the innermost members that differ.

    `name` is the output's file name; some formats are detected by their extension.  Nothing is extracted to a path
    named in an archive, and no link is followed.  Raises OSError if a file cannot be read.
    """
    budget = Budget(limits or Limits())
    with open(control, "rb", 0) as one, open(experiment, "rb", 0) as other, budget.temporary():
        leaves = tuple(_collect(whole_file(one), whole_file(other), name, budget))
    return Walk(leaves=put_derived_last(leaves, name), cut=tuple(budget.cut), twins=tuple(budget.twins))


def _collect(one: Span, other: Span, name: str, budget: Budget) -> Iterator[Place]:
    count = total = 0
    try:
        for leaf in examine(one, other, Position(name=name), budget):
            yield leaf if total < _ALL_VALUES else _shorten(leaf)
            total += len(leaf.control) + len(leaf.experiment)
            count += 1
            if count == budget.limits.leaves:
                budget.record(f"only the first {count} differences are listed")
                return
    except OutOfTimeError as error:
        budget.record(str(error))
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
            found = Found(Field.CONTENT, "unknown position", b"", b"", f"{note}, before a difference was found")
            yield Position(name="").leaf(found, FileFormat.BINARY)
