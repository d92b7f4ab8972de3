"""Measured values as Prometheus reads them, by its own client library: the text format, and a registry to push."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

from pytest_ftc.integrations.metrics.measured import Measured, Sample, Spread
from pytest_ftc.integrations.metrics.table import Kind, Metric
from pytest_ftc.model.errors import ConfigurationError

if TYPE_CHECKING:
    from prometheus_client.core import CollectorRegistry
    from prometheus_client.metrics_core import Metric as Family

NO_EXTRA = "metrics need the extra 'prometheus': pip install 'pytest-ftc[prometheus]'"


def require_library() -> None:
    """Raise ConfigurationError if prometheus_client is not installed.  It is imported only later, while builds run."""
    if find_spec("prometheus_client") is None:
        raise ConfigurationError(NO_EXTRA)


def to_registry(measured: Measured) -> CollectorRegistry:
    """Return a registry that has just the series of `measured`."""
    from prometheus_client.core import CollectorRegistry
    from prometheus_client.registry import Collector

    class Families(Collector):
        def collect(self) -> Iterator[Family]:
            for metric, samples in itertools.groupby(measured.samples(), key=lambda sample: sample.metric):
                yield _to_family(metric, samples)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Families())
    return registry


def to_text(measured: Measured) -> bytes:
    """Return `measured` in the text format, see https://prometheus.io/docs/instrumenting/exposition_formats/."""
    from prometheus_client import generate_latest

    return generate_latest(to_registry(measured))


def _to_family(metric: Metric, samples: Iterable[Sample]) -> Family:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    if metric.kind is Kind.HISTOGRAM:
        histogram = HistogramMetricFamily(metric.name, metric.answers, labels=metric.labels)
        for sample in samples:
            assert isinstance(sample.value, Spread)
            histogram.add_metric(tuple(sample.labels.values()), _to_buckets(metric, sample.value), sample.value.sum)
        return histogram
    kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = kind(metric.name, metric.answers, labels=metric.labels)
    for sample in samples:
        assert isinstance(sample.value, float)
        family.add_metric(tuple(sample.labels.values()), sample.value)
    return family


def _to_buckets(metric: Metric, spread: Spread) -> list[tuple[str, float]]:
    """Return the bound of each bucket, with how many values are at most as large."""
    bounds = [*(f"{bound:g}" for bound in metric.buckets), "+Inf"]
    return [(bound, float(count)) for bound, count in zip(bounds, itertools.accumulate(spread.counts), strict=True)]
