"""Measured values as OTLP: cumulative counters, histograms, gauges; and a collector that does not answer."""

import time

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.semconv.schemas import Schemas
from otlp_receiver import receiving

from pytest_ftc.config.load import load_config
from pytest_ftc.integrations.metrics import session, table
from pytest_ftc.integrations.metrics.measured import Measured
from pytest_ftc.integrations.metrics.table import TABLE
from pytest_ftc.integrations.opentelemetry import start
from pytest_ftc.integrations.opentelemetry.metric_points import to_metrics, unit_of
from pytest_ftc.integrations.opentelemetry.metrics import OtlpMetrics, find_otlp
from pytest_ftc.model.errors import FtcError
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.metrics.facts import SessionFacts

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def measured():
    found = Measured("proj")
    found.count(table.BUILDS, "control", "ok", by=3)
    found.set(table.STORE_UP, value=1)
    for value in (0.2, 3, 9999):
        found.observe(table.BUILD_SECONDS, "app", value=value)
    return found


@pytest.fixture
def receiver(monkeypatch):
    with receiving() as running:
        monkeypatch.setenv(ENDPOINT, running.url)
        yield running


def sent(request):
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    assert scope.schema_url in {one.value for one in Schemas}
    return {metric.name: metric for metric in scope.metrics}


def test_every_metric_has_a_unit_of_otlp():
    assert {unit_of(metric) for metric in TABLE} >= {"s", "By", "1", "{builds}"}
    assert all(" " not in unit_of(metric) for metric in TABLE)


def test_empty_values_are_no_metrics():
    (resource,) = to_metrics(Measured("p"), Resource({})).resource_metrics
    assert resource.scope_metrics[0].metrics == []


def test_a_redirect_is_no_success(tmp_path, receiver):
    receiver.refusals.append((302, b""))
    way = OtlpMetrics(tmp_path)
    try:
        with pytest.raises(FtcError, match="status 302"):
            way.push(measured(), 20)
    finally:
        way.close()


def test_counters_gauges_and_histograms_arrive_as_such(tmp_path, receiver):
    way = OtlpMetrics(tmp_path)
    try:
        way.push(measured(), 20)
        way.push(measured(), 20)
    finally:
        way.close()
    first, second = receiver.metrics
    assert second.resource_metrics[0].resource == first.resource_metrics[0].resource, "by one process"
    found = sent(first)
    counter = found["ftc_builds_total"].sum
    assert (counter.is_monotonic, counter.aggregation_temporality) == (True, 2)
    (point,) = counter.data_points
    assert point.as_double == 3
    assert {one.key: one.value.string_value for one in point.attributes} == {
        "project": "proj",
        "role": "control",
        "outcome": "ok",
    }
    assert found["ftc_store_up"].gauge.data_points[0].as_double == 1
    histogram = found["ftc_build_seconds"].histogram
    (spread,) = histogram.data_points
    assert histogram.aggregation_temporality == 2
    assert (spread.count, spread.sum) == (3, 10002.2)
    assert sum(spread.bucket_counts) == 3
    assert (spread.bucket_counts[1], spread.bucket_counts[-1]) == (1, 1)
    assert tuple(spread.explicit_bounds) == table.BUILD_SECONDS.buckets
    assert not spread.HasField("min")


def test_a_collector_that_refuses_or_hangs_is_told_in_a_bounded_time(tmp_path, receiver):
    receiver.refusals.extend([(403, b""), (0, b"")])
    way = OtlpMetrics(tmp_path)
    with pytest.raises(FtcError, match=r"^the collector of OTEL_EXPORTER_OTLP_ENDPOINT: status 403$"):
        way.push(measured(), 20)
    begin = time.monotonic()
    with pytest.raises(FtcError, match=r"no answer within 1 s$"):
        way.push(measured(), 1.0)
    assert time.monotonic() - begin < 3
    way.push(measured(), 20)
    way.close()
    assert len(receiver.metrics) == 1


def test_a_session_counts_on_from_the_one_before(tmp_path, receiver, monkeypatch):
    monkeypatch.delenv("OTEL_METRICS_EXPORTER", raising=False)
    (tmp_path / "pyproject.toml").touch()
    config = load_config(tmp_path, {"store": str(tmp_path / "store")}, Vocabulary(()))
    for number in (1, 2):
        exporter, warning = session.find_exporter(config)
        assert warning == ""
        assert exporter.finish(SessionFacts(outcome="passed", verifications=[], critical={})) == ""
        points = sent(receiver.metrics[-1])["ftc_sessions_total"].sum.data_points
        assert sum(point.as_double for point in points) == number


def test_a_missing_extra_is_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "_NEEDED", ("no_such_module.at_all",))
    way, warning = find_otlp(tmp_path, {ENDPOINT: "http://127.0.0.1:9"})
    assert way is None
    assert "pip install 'pytest-ftc[otel]'" in warning


def test_where_nobody_asks_there_is_nothing(tmp_path):
    assert find_otlp(tmp_path, {}) == (None, "")
    assert find_otlp(tmp_path, {ENDPOINT: "x", "OTEL_METRICS_EXPORTER": "none"}) == (None, "")
    way, warning = find_otlp(tmp_path, {"OTEL_METRICS_EXPORTER": "console"})
    assert way is None
    assert warning == "OTEL_METRICS_EXPORTER: expected otlp, none, found 'console', which is left out"
