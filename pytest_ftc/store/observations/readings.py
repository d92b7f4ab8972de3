"""Reads what a measure makes of the observations: its value, totals of several spans of time, and daily values."""

from __future__ import annotations

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from math import fsum
from typing import Any

from pytest_ftc.store.observations.measures import MEASURES, Kind, Measure, Table

DAY = 86400.0
"""Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every measure."""

    now: float
    """Seconds since 1970."""
    days: int
    """The window: that many times 24 hours before now."""
    spans: Sequence[float]
    """Other spans of time before now, in seconds; a window of a day is shorter than three."""
    parameters: Mapping[str, object]
    """``project`` and the prices ``per_cpu_hour`` and ``per_gb``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The events of a span of time."""

    total: float = 0.0
    """How many there were; of a share, how many could have been good."""
    value: float = 0.0
    """The sum of their values; of a percentile, how many values were above the target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of one measure."""

    value: float | None
    """None if nothing happened in the window."""
    window: Tally
    spans: tuple[Tally, ...]
    daily: tuple[float | None, ...]
    """The values of the days of the window, oldest first; None where nothing happened."""


class Reader:
    """Reads measures on a `connection`.

    The days of the window and the spans share their limits, which divide the time into periods; each is read once.
    """

    def __init__(self, connection: sqlite3.Connection, question: Question) -> None:
        self._connection = connection
        self._question = question
        ages = {*question.spans, *(age * DAY for age in range(question.days + 1))}
        self._limits = sorted(question.now - age for age in ages)
        self._sums: dict[Table, list[dict[Measure, Tally]]] = {}
        self._ranked: dict[Table, list[dict[str, list[float]]]] = {}

    def read(self, measure: Measure, target: float | None) -> Reading:
        """Return what `measure` makes of the observations; the values of a percentile are compared with `target`."""
        if measure.kind is Kind.PERCENTILE:
            values = [period[measure.value] for period in self._rank(measure.table)]
            tallies = [_count_worse(period, target) for period in values]
            return self._reading(tallies, lambda periods: _percentile(values[periods], measure.percent))
        tallies = [period[measure] for period in self._sum(measure.table)]
        return self._reading(tallies, lambda periods: _value(measure.kind, _add(tallies[periods])))

    def _reading(self, tallies: Sequence[Tally], value: Callable[[slice], float | None]) -> Reading:
        days = self._question.days
        window, *spans = [self._periods(seconds) for seconds in (days * DAY, *self._question.spans)]
        return Reading(
            value=value(window),
            window=_add(tallies[window]),
            spans=tuple(_add(tallies[span]) for span in spans),
            daily=tuple(value(self._periods((age + 1) * DAY, age * DAY)) for age in reversed(range(days))),
        )

    def _periods(self, begin: float, end: float = 0.0) -> slice:
        """Return which periods lie between two ages, in seconds."""
        now = self._question.now
        return slice(bisect_left(self._limits, now - begin), bisect_left(self._limits, now - end))

    def _sum(self, table: Table) -> list[dict[Measure, Tally]]:
        """Return the sums of the table's measures in each period."""
        if table not in self._sums:
            measures = [one for one in _measures(table) if one.kind is not Kind.PERCENTILE]
            columns = [
                f"total({what}) filter (where {one.where})" for one in measures for what in (one.total, one.value)
            ]
            self._sums[table] = [
                {
                    one: Tally(total=total, value=value)
                    for one, total, value in zip(measures, row[::2], row[1::2], strict=True)
                }
                for (row,) in self._ask(table, columns)
            ]
        return self._sums[table]

    def _rank(self, table: Table) -> list[dict[str, list[float]]]:
        """Return the sorted values of percentiles in each period, which is quicker than to have SQLite rank them."""
        if table not in self._ranked:
            events = {one.value: one.where for one in _measures(table) if one.kind is Kind.PERCENTILE}
            columns = [f"case when {where} then {value} end" for value, where in events.items()]
            self._ranked[table] = [
                {
                    value: sorted(row[column] for row in rows if row[column] is not None)
                    for column, value in enumerate(events)
                }
                for rows in self._ask(table, columns)
            ]
        return self._ranked[table]

    def _ask(self, table: Table, columns: Sequence[str]) -> Iterator[list[Any]]:
        """Yield what stands in `columns` in each period, in one scan."""
        query = (
            f"select {', '.join(columns)} from {table.value}"
            " where project = :project and ended > :after and ended <= :until"
        )
        for after, until in pairwise(self._limits):
            given = {**self._question.parameters, "after": after, "until": until}
            yield self._connection.execute(query, given).fetchall()


def _measures(table: Table) -> list[Measure]:
    return [measure for measure in MEASURES.values() if measure.table is table]


def _count_worse(values: Sequence[float], target: float | None) -> Tally:
    """Tell how many of sorted `values` are above the target."""
    return Tally(total=len(values), value=0 if target is None else len(values) - bisect_right(values, target))


def _add(tallies: Sequence[Tally]) -> Tally:
    return Tally(total=fsum(one.total for one in tallies), value=fsum(one.value for one in tallies))


def _value(kind: Kind, tally: Tally) -> float | None:
    if not tally.total:
        return None
    return tally.value if kind is Kind.SUM else tally.value / tally.total


def _percentile(periods: Sequence[Sequence[float]], percent: int) -> float | None:
    """Return the nearest rank of the sorted values of `periods`; None without any."""
    # Each period is sorted, and so to sort them all is quick.
    values = sorted(chain.from_iterable(periods))
    return values[(len(values) * percent + 99) // 100 - 1] if values else None
