"""Commands that sign and publish are parts of the trace of their pipeline."""

import os

import pytest
from otlp_receiver import check_connected, receiving

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.timing.collector import UNTIMED, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.verification.traces.command import traced

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture(autouse=True)
def warned(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRACEPARENT", f"00-{'ab' * 16}-{'cd' * 8}-01")
    return []


def publish(status=0):
    with timing().phase(PhaseKind.PUBLISH):
        return status


def test_it_is_a_span_of_the_callers_trace(monkeypatch, warned):
    with receiving() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        assert traced("publish", lambda: publish(1), warned.append) == 1
    assert warned == []
    root = check_connected(receiver.spans)
    assert (root.trace, root.parent, root.failed) == ("ab" * 16, "cd" * 8, "failed")
    assert root.attributes["cicd.pipeline.task.name"] == "ftc publish"
    assert sorted(one.name for one in receiver.spans) == ["publish", "session"]


def test_an_error_is_raised_as_before(monkeypatch, warned):
    def fail():
        raise FtcError("no")

    with receiving() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        with pytest.raises(FtcError, match="no"):
            traced("attest", fail, warned.append)
    assert [one.attributes["ftc.session.outcome"] for one in receiver.spans] == ["error"]


def test_a_collector_that_is_away_is_told(monkeypatch, warned):
    with receiving() as receiver:
        monkeypatch.setenv(ENDPOINT, receiver.url)
        receiver.refusals.extend([(400, b"")] * 9)
        assert traced("publish", publish, warned.append) == 0
    assert warned == ["traces: 2 spans not sent to the collector of OTEL_EXPORTER_OTLP_ENDPOINT: status 400"]


def test_where_nobody_asks_nothing_is_noted(warned):
    seen = []
    assert traced("publish", lambda: seen.append(timing()) or 0, warned.append) == 0
    assert seen == [UNTIMED]
    assert warned == []
