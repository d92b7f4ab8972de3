"""Rows of tables in another order: what a row has in no other one tells which rows are the same."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pytest_ftc.comparison.members.limits import Budget

_LONGEST = 9
"""Digits of the number of a row."""
Table: TypeAlias = Sequence[Sequence[Hashable]]


@dataclass(frozen=True, slots=True)
class Moved:
    """How the rows of a table are found in the other one."""

    order: Sequence[int]
    """For each row its number in the other table."""
    column: int
    """The column of which both have the same values, each once."""


def find_moved_rows(one: Table, other: Table, budget: Budget, without: Sequence[int] = ()) -> Moved | None:
    """Return how rows of `one` are found in `other`; None if they are where they were, or nothing tells them apart.

    No column of `without` tells them apart.  Raises OutOfTimeError.
    """
    widths = {len(row) for row in (*one, *other)}
    if len(one) != len(other) or len(widths) != 1:
        return None
    columns = [column for column in range(widths.pop()) if column not in without]
    fewest, found = _count_unequal(one, other, range(len(one)), columns), None
    for moved in _candidates(one, other, columns):
        budget.check_time()
        unequal = _count_unequal(one, other, moved.order, columns)
        if unequal < fewest:
            fewest, found = unequal, moved
    return found


def find_numbering(one: Table, other: Table) -> list[int]:
    """Return the columns that have the numbers of the rows, below a heading or not."""
    widths = {len(row) for row in (*one, *other)}
    return [column for column in range(min(widths, default=0)) if _is_numbering(one, other, column)]


def _is_numbering(one: Table, other: Table, column: int) -> bool:
    values = [row[column] for row in one]
    numbers = [int(text) for value in values if (text := str(value)).isdecimal() and len(text) <= _LONGEST]
    is_counted = bool(numbers) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return is_counted and len(values) - len(numbers) <= 1 and values == [row[column] for row in other]


def _candidates(one: Table, other: Table, columns: Sequence[int]) -> Iterator[Moved]:
    for column in columns:
        places = {row[column]: number for number, row in enumerate(other)}
        names = [row[column] for row in one]
        if len(places) == len(other) == len(set(names)) and all(name in places for name in names):
            yield Moved([places[name] for name in names], column)


def _count_unequal(one: Table, other: Table, order: Sequence[int], columns: Sequence[int]) -> int:
    """Return how many cells differ where the rows of `other` are in this order."""
    return sum(row[column] != other[its][column] for row, its in zip(one, order, strict=True) for column in columns)
