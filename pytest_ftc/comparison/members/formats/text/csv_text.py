"""Tables in text (RFC 4180, and with tabs or semicolons): the cells that differ, by row and column."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.formats.text.rows import Moved, find_moved_rows, find_numbering
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.numbers.measure import describe, measure
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.support.printable import shorten

_LARGEST = 4 << 20
_EXTENSIONS = (".csv", ".tsv")
_DELIMITERS = (",", "\t", ";")
_LONGEST = 100
"""Characters of a number."""
_Rows: TypeAlias = Sequence[Sequence[str]]
_Cell: TypeAlias = tuple[int, int]
"""Row and column, both from 0."""


def is_csv(name: str) -> bool:
    """Return whether a file is named as a table."""
    return name.lower().endswith(_EXTENSIONS)


def delimiter_of(text: str) -> str:
    """Return what separates the columns: what the first line has most of."""
    head = text.partition("\n")[0]
    return max(_DELIMITERS, key=head.count)


def compare_csv(one: Span, other: Span, budget: Budget) -> tuple[Found, ...]:
    """Return the first cells that differ, and the order of rows; nothing for tables of two shapes."""
    if max(one.size, other.size) > _LARGEST:
        return ()
    try:
        control, experiment = (_read(span.read(0, span.size).decode()) for span in (one, other))
        moved = find_moved_rows(control, experiment, budget, find_numbering(control, experiment))
        order = tuple(_tell_order(control, experiment, moved))
        experiment = [experiment[row] for row in moved.order] if moved else experiment
        cells = _differing(control, experiment, budget)
    except (ValueError, csv.Error):
        return ()
    if not moved and _is_reordered(control, experiment, cells):
        return ()
    numbers = {cell: pair for cell in cells if (pair := _numbers(control, experiment, cell))}
    told = _describe(control, numbers)
    found = (
        Found(
            Field.CONTENT,
            f"row {row + 1}, column {_name(control, row, column)}",
            control[row][column].encode(),
            experiment[row][column].encode(),
            numbers=told[column] if (row, column) in numbers else "",
        )
        for row, column in cells
    )
    return (*order, *choose(found, "cell", budget, lambda cell: cell.location.partition(", ")[2]))


def _tell_order(one: _Rows, other: _Rows, moved: Moved | None) -> Iterator[Found]:
    """Yield the order of rows that have `moved`, by what tells them apart."""
    if moved:
        control, experiment = ("".join(f"{row[moved.column]}\n" for row in rows).encode() for rows in (one, other))
        yield Found(Field.ORDER, "line order", control, experiment)


def _read(text: str) -> _Rows:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text)))


def _differing(one: _Rows, other: _Rows, budget: Budget) -> list[_Cell]:
    """Return the cells that differ.  Raises ValueError if the tables have different shapes, OutOfTimeError."""
    cells = []
    for row, (left, right) in enumerate(zip(one, other, strict=True)):
        if left != right:
            budget.check_time()
            differ = (column for column, (a, b) in enumerate(zip(left, right, strict=True)) if a != b)
            cells += [(row, column) for column in differ]
    return cells


def _is_reordered(one: _Rows, other: _Rows, cells: Sequence[_Cell]) -> bool:
    """Return whether most rows that differ are also in the other table."""
    rows = sorted({row for row, _ in cells})
    left, right = (Counter(tuple(table[row]) for row in rows if len(table[row]) > 1) for table in (one, other))
    return 2 * (left & right).total() > len(rows)


def _numbers(one: _Rows, other: _Rows, cell: _Cell) -> tuple[float, float] | None:
    """Return the numbers in a cell of both tables; None if there is other text."""
    row, column = cell
    texts = one[row][column], other[row][column]
    if any(len(text) > _LONGEST or "_" in text for text in texts):
        return None
    try:
        return float(texts[0]), float(texts[1])
    except ValueError:
        return None


def _name(rows: _Rows, row: int, column: int) -> str:
    """Return the name of a column: the text at its head, or its number."""
    head = rows[0][column].strip() if row and column < len(rows[0]) else ""
    return shorten(head, longest=80) if head and not _is_number(head) else str(column + 1)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _describe(rows: _Rows, numbers: dict[_Cell, tuple[float, float]]) -> dict[int, str]:
    """Return for each column how far its numbers are apart."""
    columns: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    for (row, column), pair in numbers.items():
        columns[column].append((row, *pair))
    totals = {column: sum(column < len(row) and _is_number(row[column]) for row in rows) for column in columns}
    return {
        column: describe(measure(pairs, max(totals[column], len(pairs))), lambda row: f"row {row + 1}")
        for column, pairs in columns.items()
    }
