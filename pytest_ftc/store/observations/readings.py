"""Reads what a measure makes of the observations: its value, totals of several spans of time, and daily values."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any

from pytest_ftc.store.observations.measures import Kind, Measure

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
    """Reads measures on a `connection`."""

    def __init__(self, connection: sqlite3.Connection, question: Question) -> None:
        self._connection = connection
        self._question = question
        self._events: dict[str, list[tuple[float, float]]] = {}

    def read(self, measure: Measure, target: float | None) -> Reading:
        """Return what `measure` makes of the observations; the values of a percentile are compared with `target`."""
        if measure.kind is Kind.PERCENTILE:
            return self._read_values(measure, target)
        return self._read_sums(measure)

    def _read_sums(self, measure: Measure) -> Reading:
        question, events = self._question, f"from ({measure.events}) where at <= :now"
        query = f"select cast((:now - at) / {DAY} as integer), total(total), total(value) {events} group by 1"
        found = self._ask(query, question.days * DAY)
        days = {int(age): Tally(total=total, value=value) for age, total, value in found if age < question.days}
        spans = [self._ask(f"select total(total), total(value) {events}", span)[0] for span in question.spans]
        window = Tally(total=sum(one.total for one in days.values()), value=sum(one.value for one in days.values()))
        return Reading(
            value=_value(measure.kind, window),
            window=window,
            spans=tuple(Tally(total=total, value=value) for total, value in spans),
            daily=tuple(_value(measure.kind, days.get(age, Tally())) for age in reversed(range(question.days))),
        )

    def _read_values(self, measure: Measure, target: float | None) -> Reading:
        """Read all values, which is quicker than to have SQLite rank those of each day."""
        question, events = self._question, self._list_events(measure)
        worse = [] if target is None else [event for event in events if event[1] > target]
        begins = [_find(events, question.now - age * DAY) for age in range(question.days, -1, -1)]
        days = [sorted(value for _, value in events[begin:end]) for begin, end in pairwise(begins)]
        moments = [question.now - span for span in (question.days * DAY, *question.spans)]
        window, *spans = [
            Tally(total=len(events) - _find(events, moment), value=len(worse) - _find(worse, moment))
            for moment in moments
        ]
        return Reading(
            # Days are sorted, and so to sort them all is quick.
            value=_percentile(sorted(chain.from_iterable(days)), measure.percent),
            window=window,
            spans=tuple(spans),
            daily=tuple(_percentile(day, measure.percent) for day in days),
        )

    def _list_events(self, measure: Measure) -> list[tuple[float, float]]:
        """Return the times and values of the events of the longest span, in order; several measures share them."""
        if measure.events not in self._events:
            span = max(self._question.days * DAY, *self._question.spans)
            query = f"select at, value from ({measure.events}) where at <= :now and at > :now - {span}"
            # What an index gives is sorted already.
            self._events[measure.events] = sorted(self._ask(query, span))
        return self._events[measure.events]

    def _ask(self, query: str, span: float) -> list[Any]:
        question = self._question
        given = {**question.parameters, "now": question.now, "since": question.now - span}
        return self._connection.execute(query, given).fetchall()


def _value(kind: Kind, tally: Tally) -> float | None:
    if not tally.total:
        return None
    return tally.value if kind is Kind.SUM else tally.value / tally.total


def _find(events: Sequence[tuple[float, float]], moment: float) -> int:
    """Return how many of `events` were not after `moment`."""
    return bisect_right(events, moment, key=itemgetter(0))


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """Return the nearest rank of sorted `values`; None without any."""
    return values[(len(values) * percent + 99) // 100 - 1] if values else None
