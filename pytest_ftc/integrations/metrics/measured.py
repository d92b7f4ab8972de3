"""Measured values: a plain data structure, from which every way out exports."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from pytest_ftc.integrations.metrics.table import ARTIFACT, BY_NAME, PROJECT, TABLE, Kind, Metric
from pytest_ftc.model.support.printable import shorten

_LONGEST = 200
"""Characters of the value of a label."""
_MOST = 1e100
"""The greatest value that is read: a whole number in JSON can be too large for a float."""
_FORM = 1
"""The version of the form in JSON."""


@dataclass(frozen=True, slots=True)
class Spread:
    """The values of a histogram."""

    counts: tuple[int, ...]
    """How many values are in each bucket, and not in a smaller one; the last is for all that are larger."""
    sum: float = 0.0

    def with_value(self, value: float, bounds: tuple[float, ...]) -> Spread:
        """Return it with one more value, which is at most as large as its bucket's bound."""
        place = bisect_left(bounds, value)
        counts = tuple(count + (number == place) for number, count in enumerate(self.counts))
        return Spread(counts, self.sum + value)

    def plus(self, other: Spread) -> Spread:
        """Return all values of both."""
        return Spread(tuple(map(sum, zip(self.counts, other.counts, strict=True))), self.sum + other.sum)

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.counts)


Value: TypeAlias = "float | Spread"


@dataclass(frozen=True, slots=True)
class Sample:
    """One series and its value."""

    metric: Metric
    labels: Mapping[str, str]
    value: Value


class Measured:
    """Series of one project with their values."""

    def __init__(self, project: str) -> None:
        self.project = shorten(project, _LONGEST)
        self._values: dict[tuple[str, tuple[str, ...]], Value] = {}
        self.seen: dict[str, float] = {}
        """When each artifact was last part of the project, seconds since 1970."""

    def count(self, metric: Metric, *labels: str, by: float = 1.0) -> None:
        """Let the counter `metric` with these `labels`, without that of the project, grow."""
        key = self._key(metric, labels)
        self._values[key] = self._number(key) + by

    def set(self, metric: Metric, *labels: str, value: float) -> None:
        """Set a gauge, or a counter whose total is kept elsewhere."""
        self._values[self._key(metric, labels)] = float(value)

    def observe(self, metric: Metric, *labels: str, value: float) -> None:
        """Add a `value` to a histogram."""
        key = self._key(metric, labels)
        before = self._values.get(key)
        spread = before if isinstance(before, Spread) else _nothing(metric)
        self._values[key] = spread.with_value(value, metric.buckets)

    def begin_at_zero(self, artifacts: Iterable[str]) -> None:
        """Give all series whose labels are known, for these `artifacts`, the value 0 unless they have one."""
        names = list(artifacts)
        for metric in TABLE:
            owners = [(name,) for name in names] if ARTIFACT in metric.labels else [()]
            for owner in owners:
                for values in metric.values:
                    key = self._key(metric, (*owner, *values))
                    self._values.setdefault(key, _nothing(metric) if metric.kind is Kind.HISTOGRAM else 0.0)

    def add(self, other: Measured) -> None:
        """Add what another session has measured: its counters to these, and its gauges instead of these."""
        for (name, labels), value in other._values.items():
            before, metric = self._values.get((name, labels)), BY_NAME[name]
            if isinstance(value, Spread):
                value = before.plus(value) if isinstance(before, Spread) else value
            elif metric.kind is Kind.COUNTER and not metric.elsewhere and isinstance(before, float):
                value = before + value
            self._values[name, labels] = value
        self.seen.update(other.seen)

    def forget(self, before: float) -> None:
        """Remove the series of artifacts that were last seen `before`, seconds since 1970."""
        old = {name for name, moment in self.seen.items() if moment < before}
        for name, labels in list(self._values):
            if ARTIFACT in BY_NAME[name].labels and labels[0] in old:
                del self._values[name, labels]
        self.seen = {name: moment for name, moment in self.seen.items() if name not in old}

    def gauges(self) -> Measured:
        """Return only what needs no totals of earlier sessions."""
        found = Measured(self.project)
        found._values = {key: value for key, value in self._values.items() if BY_NAME[key[0]].kind is Kind.GAUGE}
        return found

    def value(self, metric: Metric, *labels: str) -> Value | None:
        """Return the value of one series; None if it has none."""
        return self._values.get(self._key(metric, labels))

    def samples(self) -> Iterator[Sample]:
        """Yield all series, in the order of the table and of their labels."""
        places = {metric.name: number for number, metric in enumerate(TABLE)}
        for name, labels in sorted(self._values, key=lambda key: (places[key[0]], key[1])):
            metric = BY_NAME[name]
            shown = dict(zip(metric.labels, (self.project, *labels), strict=True))
            yield Sample(metric, shown, self._values[name, labels])

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        series = [[name, list(labels), _to_json(value)] for (name, labels), value in self._values.items()]
        return {"form": _FORM, "project": self.project, "series": series, "seen": self.seen}

    def take(self, document: Any) -> None:
        """Take the values of the JSON `document`; those that this version does not know are left out.

        Raises AttributeError, KeyError, TypeError or ValueError if it is not what `to_json` returns.
        """
        if document["form"] != _FORM:
            raise ValueError("another form")
        self.seen.update({str(name): float(moment) for name, moment in document["seen"].items()})
        for name, labels, value in document["series"]:
            metric = BY_NAME.get(name)
            if metric and len(labels) == len(metric.labels) - 1 and _fits(metric, value):
                known = Spread(tuple(value["counts"]), float(value["sum"])) if metric.buckets else float(value)
                self._values[self._key(metric, tuple(map(str, labels)))] = known

    def _number(self, key: tuple[str, tuple[str, ...]]) -> float:
        value = self._values.get(key, 0.0)
        assert isinstance(value, float)
        return value

    def _key(self, metric: Metric, labels: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        assert metric.labels[0] == PROJECT and len(labels) == len(metric.labels) - 1, (metric.name, labels)
        # Names of artifacts may be hostile, and need not be valid Unicode.
        return metric.name, tuple(shorten(label, _LONGEST) for label in labels)


def _to_json(value: Value) -> Any:
    return {"counts": list(value.counts), "sum": value.sum} if isinstance(value, Spread) else value


def _nothing(metric: Metric) -> Spread:
    return Spread((0,) * (len(metric.buckets) + 1))


def _fits(metric: Metric, value: Any) -> bool:
    """Return whether `value` is one that `metric` can have: bounds may be others than they were."""
    if not metric.buckets:
        return isinstance(value, (int, float)) and abs(value) <= _MOST
    counts = value["counts"]
    whole = all(isinstance(count, int) and 0 <= count <= _MOST for count in counts)
    return len(counts) == len(metric.buckets) + 1 and whole and abs(value["sum"]) <= _MOST
