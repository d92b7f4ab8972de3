"""From measured values to the metrics of OpenTelemetry's SDK."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable
from typing import Any

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as SentMetric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from pytest_ftc import __version__
from pytest_ftc.integrations.metrics.measured import Measured, Sample, Spread
from pytest_ftc.integrations.metrics.table import Kind, Metric
from pytest_ftc.integrations.opentelemetry.conventions import SCHEMA_URL

_UNITS = {
    "seconds": "s",
    "CPU seconds": "s",
    "seconds since 1970": "s",
    "bytes": "By",
    "yes or no": "1",
    "always 1": "1",
    "the currency": "1",
}
"""Units in the notation of UCUM; all others are things that are counted."""
_UNKNOWN: Any = None
"""The smallest and the largest value of a histogram, which nobody has kept."""
_CUMULATIVE = AggregationTemporality.CUMULATIVE


def to_metrics(measured: Measured, resource: Resource) -> MetricsData:
    """Return `measured` as metrics of `resource`.

    Counters are totals since an unknown start, which OTLP writes as 0: sessions add up on this machine.
    """
    groups = itertools.groupby(measured.samples(), key=lambda sample: sample.metric)
    metrics = [_to_metric(metric, list(samples)) for metric, samples in groups]
    scope = ScopeMetrics(InstrumentationScope("pytest_ftc", __version__, SCHEMA_URL), metrics, SCHEMA_URL)
    return MetricsData([ResourceMetrics(resource, [scope], resource.schema_url)])


def unit_of(metric: Metric) -> str:
    """Return the unit of `metric` as OTLP writes it."""
    return _UNITS.get(metric.unit) or f"{{{metric.unit}}}"


def _to_metric(metric: Metric, samples: Iterable[Sample]) -> SentMetric:
    now = time.time_ns()
    data: Sum | Gauge | Histogram
    if metric.kind is Kind.HISTOGRAM:
        data = Histogram([_to_histogram(one, now) for one in samples], _CUMULATIVE)
    else:
        points = [NumberDataPoint(one.labels, 0, now, one.value) for one in samples if isinstance(one.value, float)]
        data = Sum(points, _CUMULATIVE, is_monotonic=True) if metric.kind is Kind.COUNTER else Gauge(points)
    return SentMetric(metric.name, metric.answers, unit_of(metric), data)


def _to_histogram(sample: Sample, now: int) -> HistogramDataPoint:
    spread = sample.value
    assert isinstance(spread, Spread)
    return HistogramDataPoint(
        attributes=sample.labels,
        start_time_unix_nano=0,
        time_unix_nano=now,
        count=spread.count,
        sum=spread.sum,
        bucket_counts=spread.counts,
        explicit_bounds=sample.metric.buckets,
        min=_UNKNOWN,
        max=_UNKNOWN,
    )
