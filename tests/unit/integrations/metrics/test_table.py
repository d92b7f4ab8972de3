"""The catalogue of metrics keeps the conventions of Prometheus."""

import re

import pytest

from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.table import ARTIFACT, BY_NAME, PROJECT, TABLE, Kind, Metric

each = pytest.mark.parametrize("metric", TABLE, ids=lambda one: one.name)


def test_every_metric_of_the_module_is_in_the_table_once():
    defined = [value for value in vars(table).values() if isinstance(value, Metric)]
    assert sorted(one.name for one in defined) == sorted(one.name for one in TABLE)
    assert len(BY_NAME) == len(TABLE)


@each
def test_names_and_units_are_those_of_prometheus(metric):
    assert re.fullmatch(r"ftc(_[a-z]+)+", metric.name)
    assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER)
    if metric.unit.startswith("seconds"):
        assert metric.name.removesuffix("_total").endswith("_seconds")
    if metric.unit == "bytes":
        assert "_bytes" in metric.name
    assert metric.answers.endswith("?")


@each
def test_a_histogram_alone_has_bounds_and_they_grow(metric):
    assert bool(metric.buckets) == (metric.kind is Kind.HISTOGRAM)
    assert list(metric.buckets) == sorted(set(metric.buckets))


@each
def test_every_series_names_its_project_and_known_values_fit_the_labels(metric):
    assert metric.labels[0] == PROJECT
    own = [label for label in metric.labels if label not in (PROJECT, ARTIFACT)]
    assert all(len(values) == len(own) for values in metric.values)
    assert len(set(metric.values)) == len(metric.values)
