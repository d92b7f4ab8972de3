"""Values add up as counters, gauges and histograms do, and survive a file."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.integrations.metrics import table
from pytest_ftc.integrations.metrics.exposition import to_text
from pytest_ftc.integrations.metrics.measured import Measured, Spread

seconds = st.floats(0, 10_000)


@given(st.lists(seconds, max_size=30))
def test_each_bucket_holds_what_is_at_most_as_large_as_its_bound(values):
    measured = Measured("p")
    for value in values:
        measured.observe(table.QUEUE_SECONDS, value=value)
    spread = measured.value(table.QUEUE_SECONDS) or Spread((0,) * (len(table.QUEUE_SECONDS.buckets) + 1))
    assert spread.count == len(values)
    for number, bound in enumerate(table.QUEUE_SECONDS.buckets, start=1):
        assert sum(spread.counts[:number]) == sum(value <= bound for value in values)
    assert spread.sum == pytest.approx(sum(values))


def test_counters_of_sessions_add_up_and_the_last_gauge_counts():
    totals = Measured("p")
    for number in (1, 2, 3):
        session = Measured("p")
        session.count(table.SESSIONS, "passed", by=number)
        session.set(table.STORE_UP, value=number % 2)
        session.set(table.CACHE_EVICTIONS, "local", value=number * 10)
        session.observe(table.BUILD_SECONDS, "a", value=number)
        totals.add(session)
    assert totals.value(table.SESSIONS, "passed") == 6
    assert totals.value(table.STORE_UP) == 1
    assert totals.value(table.CACHE_EVICTIONS, "local") == 30, "its total is kept by the store"
    assert totals.value(table.BUILD_SECONDS, "a").count == 3
    assert totals.value(table.BUILD_SECONDS, "a").sum == 6


def test_what_is_known_from_the_start_begins_at_zero_and_keeps_its_value():
    measured = Measured("p")
    measured.count(table.VERDICTS, "a", "failed", "false")
    measured.begin_at_zero(["a", "b"])
    assert measured.value(table.VERDICTS, "a", "failed", "false") == 1
    assert measured.value(table.VERDICTS, "b", "unreproducible", "false") == 0
    assert measured.value(table.BUILDS, "control", "lost") == 0
    assert measured.value(table.BUILD_SECONDS, "b").count == 0


def test_only_gauges_need_no_totals():
    measured = Measured("p")
    measured.count(table.SESSIONS, "passed")
    measured.observe(table.QUEUE_SECONDS, value=1)
    measured.set(table.STORE_UP, value=0)
    assert [sample.metric for sample in measured.gauges().samples()] == [table.STORE_UP]


def test_artifacts_that_have_long_gone_are_forgotten():
    measured = Measured("p")
    for name, moment in (("old", 100.0), ("new", 300.0)):
        measured.count(table.MISMATCHES, name)
        measured.seen[name] = moment
    measured.count(table.SESSIONS, "passed")
    measured.forget(200.0)
    assert measured.value(table.MISMATCHES, "old") is None
    assert measured.value(table.MISMATCHES, "new") == 1
    assert measured.value(table.SESSIONS, "passed") == 1


_NAMES = st.text(st.characters(), max_size=300)


@given(_NAMES, _NAMES, seconds)
def test_any_name_survives_a_file_and_can_be_exported(project, artifact, value):
    measured = Measured(project)
    measured.count(table.MISMATCHES, artifact, by=value)
    measured.observe(table.BUILD_SECONDS, artifact, value=value)
    measured.seen[artifact] = value
    again = Measured(project)
    again.take(json.loads(json.dumps(measured.to_json())))
    assert list(again.samples()) == list(measured.samples())
    assert again.seen == measured.seen
    assert to_text(again).isascii() or to_text(again).decode("utf-8")


def test_what_another_version_has_written_is_left_out():
    document = Measured("p").to_json()
    document["series"] = [
        ["ftc_gone_total", [], 1.0],
        ["ftc_sessions_total", ["passed", "more"], 1.0],
        ["ftc_sessions_total", ["passed"], float("inf")],
        ["ftc_queue_seconds", [], {"counts": [1, 2], "sum": 3.0}],
        ["ftc_sessions_total", ["failed"], 2.0],
    ]
    measured = Measured("p")
    measured.take(document)
    assert [(sample.metric, sample.value) for sample in measured.samples()] == [(table.SESSIONS, 2.0)]
