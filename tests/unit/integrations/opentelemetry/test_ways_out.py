"""Where spans go: a file, the terminal, a collector that answers or does not."""

import json
import logging

import pytest
from google.protobuf import json_format
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData
from opentelemetry.sdk.resources import Resource
from otlp_receiver import receiving

from pytest_ftc.integrations.opentelemetry.spans import SpanMaker
from pytest_ftc.integrations.opentelemetry.spool import Span
from pytest_ftc.integrations.opentelemetry.ways_out import Collector, Console, JsonFile
from pytest_ftc.model.timing.trace_context import TraceContext

CONTEXT = TraceContext(trace_id="ab" * 16, session_span="cd" * 8, parent_span="ef" * 8)


def made(*names):
    maker = SpanMaker(CONTEXT, Resource({"service.name": "x"}))
    return [
        maker.make(
            Span(id=f"{number:016x}", parent="cd" * 8, kind="build", name=name, started=1, seconds=1, problem="failed")
        )
        for number, name in enumerate(names, 1)
    ]


@pytest.fixture(autouse=True)
def _logging_as_before(monkeypatch):
    logger = logging.getLogger("opentelemetry")
    handlers, propagate = list(logger.handlers), logger.propagate
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "2")
    yield
    logger.handlers[:], logger.propagate = handlers, propagate


def test_a_file_holds_one_request_of_otlp_a_line(tmp_path):
    path = tmp_path / "out" / "t.jsonl"
    path.parent.mkdir()
    path.write_text("of an earlier session\n")
    way = JsonFile(path)
    assert way.send(made("a", "b"))
    assert way.send(made("c"))
    first, second = map(json.loads, path.read_text().splitlines())
    one = first["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    # IDs are hexadecimal there, enums numbers and times texts, unlike elsewhere in the JSON of protobuf.
    assert (one["traceId"], one["spanId"], one["parentSpanId"]) == ("ab" * 16, f"{1:016x}", "cd" * 8)
    assert (one["kind"], one["status"]["code"], one["startTimeUnixNano"]) == (1, 2, "1000000000")
    assert len(second["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 1
    for name in ("traceId", "spanId", "parentSpanId"):
        one[name] = "AAAA"
    parsed = json_format.ParseDict(first, TracesData())
    assert [span.name for span in parsed.resource_spans[0].scope_spans[0].spans] == ["build", "build"]


def test_a_file_that_cannot_be_written_says_why(tmp_path):
    (tmp_path / "file").touch()
    way = JsonFile(tmp_path / "file" / "t.jsonl")
    assert not way.send(made("a"))
    assert way.problem in ("File exists", "Not a directory")


def test_the_console_keeps_a_line_for_each_span():
    way = Console()
    assert way.send(made("a", "b"))
    assert [json.loads(line)["attributes"]["ftc.build.id"] for line in way.lines] == ["a", "b"]


def test_a_collector_gets_spans_with_the_users_headers(monkeypatch):
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20t0ken")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        receiver.refusals.append((503, b""))
        assert Collector().send(made("a"))
    assert [one.attributes["ftc.build.id"] for one in receiver.spans] == ["a"]
    assert receiver.headers[-1]["authorization"] == "Bearer t0ken"
    assert receiver.headers[-1]["content-encoding"] == "gzip"


def test_a_collector_that_refuses_is_told_by_its_status(monkeypatch, caplog):
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        receiver.refusals.append((401, b"<html>secret words"))
        way = Collector()
        assert not way.send(made("a"))
    assert way.problem == "status 401"
    assert not caplog.records


def test_a_redirect_is_not_followed_and_no_success(monkeypatch):
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        receiver.refusals.append((302, b""))
        way = Collector()
        assert not way.send(made("a"))
        assert way.problem == "status 302"
        assert len(receiver.headers) == 1
        assert way.send(made("a"))


def test_a_collector_that_is_away_is_told_without_its_url(monkeypatch):
    with receiving() as receiver:
        gone = receiver.url
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", gone.replace("//", "//me:pass-word@") + "/?token=t0ken")
    way = Collector()
    assert not way.send(made("a"))
    assert way.problem == "Connection refused"
