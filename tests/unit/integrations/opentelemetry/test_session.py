"""A session writes, another process sends: a collector that is away costs a bounded time, and nothing else."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from otlp_receiver import check_connected, receiving

from pytest_ftc.integrations.opentelemetry import session, start
from pytest_ftc.integrations.opentelemetry.session import open_exporter
from pytest_ftc.integrations.opentelemetry.start import NO_EXTRA
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


@pytest.fixture(autouse=True)
def _without_variables(monkeypatch):
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


def of(root, *, file=""):
    """Return the arguments of `open_exporter` for a project."""
    return root, root / file if file else None


def export(project, environ=None):
    """Export a session of two phases, and return what it says and how long its end took."""
    exporter, warning = open_exporter(*project)
    assert not warning
    collector = Collector(start_trace(environ or {}))
    exporter.begin(collector)
    with collector.collecting(), timing().phase(PhaseKind.ARTIFACT, "app"), timing().phase(PhaseKind.PLAN):
        pass
    begin = time.monotonic()
    exporter.end("passed", command="verify", artifacts=1)
    return exporter.finish(), time.monotonic() - begin


def test_with_nothing_configured_there_is_nothing(tmp_path, monkeypatch):
    assert open_exporter(*of(tmp_path)) == (None, "")
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert open_exporter(*of(tmp_path, file="t.jsonl")) == (None, "")


def test_a_missing_extra_is_an_error_only_where_the_project_asks(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "_NEEDED", ("no_such_module.at_all",))
    with pytest.raises(ConfigurationError, match=r"\[tool.ftc.traces\]: .*pip install 'pytest-ftc\[otel\]'"):
        open_exporter(*of(tmp_path, file="t.jsonl"))
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    assert open_exporter(*of(tmp_path)) == (None, f"not exported as OTEL_* say: {NO_EXTRA}")


def test_modules_of_tests_and_bad_limits_do_not_stop_the_sender(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    monkeypatch.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "many")
    (tmp_path / "queue.py").write_text("raise RuntimeError")
    monkeypatch.syspath_prepend(tmp_path)
    ended, _ = export(of(tmp_path))
    assert not ended.problem
    assert len(receiver.spans) == 3


def test_a_session_is_one_trace_below_the_callers_span(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    receiver.refusals.append((503, b""))
    ended, _ = export(of(tmp_path, file="out/t.jsonl"), {"TRACEPARENT": TRACEPARENT, "TRACESTATE": "a=b"})
    assert (ended.problem, ended.console) == ("", ())
    root = check_connected(receiver.spans)
    assert (root.name, root.trace, root.parent, root.state) == ("session", "ab" * 16, "cd" * 8, "a=b")
    assert sorted(one.name for one in receiver.spans) == ["artifact", "plan", "session"]
    lines = (tmp_path / "out/t.jsonl").read_text().splitlines()
    spans = [span["name"] for line in lines for span in json.loads(line)["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    assert sorted(spans) == ["artifact", "plan", "session"]
    assert session.tempfile.gettempdir() and not list(Path(session.tempfile.gettempdir()).glob("ftc-traces-*"))


def test_the_console_is_for_the_end(tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console,zipkin")
    ended, _ = export(of(tmp_path))
    assert sorted(json.loads(line)["name"] for line in ended.console) == ["artifact", "plan", "session"]
    assert ended.problem.startswith("OTEL_TRACES_EXPORTER: expected otlp, console, none, found 'zipkin'")


def test_a_trace_that_is_not_sampled_is_not_exported(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    ended, _ = export(of(tmp_path, file="t.jsonl"), {"TRACEPARENT": TRACEPARENT[:-1] + "0"})
    assert ended.problem == ""
    assert not receiver.spans
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    exporter, _ = open_exporter(*of(tmp_path))
    collector = Collector(start_trace({"TRACEPARENT": TRACEPARENT}))
    exporter.begin(collector)
    assert exporter.folder is None
    assert not (tmp_path / "t.jsonl").exists()


@pytest.mark.parametrize("status", [0, 400])
def test_a_collector_that_does_not_take_spans_costs_a_bounded_time_and_one_line(
    tmp_path, monkeypatch, receiver, status
):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    receiver.refusals.extend([(status, b"nonsense")] * 9)
    ended, seconds = export(of(tmp_path, file="t.jsonl"))
    assert seconds < 5.5
    why = "status 400" if status else "no answer"
    assert ended.problem == f"3 spans not sent to the collector of OTEL_EXPORTER_OTLP_ENDPOINT: {why}"
    assert len((tmp_path / "t.jsonl").read_text().splitlines()) == 1, "others are not held up"


def test_spans_that_are_refused_for_good_do_not_hold_up_others(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    receiver.refusals.append((400, b""))
    exporter, _ = open_exporter(*of(tmp_path))
    collector = Collector(start_trace({}))
    exporter.begin(collector)
    with collector.collecting(), timing().phase(PhaseKind.PLAN):
        pass
    end = time.monotonic() + 10
    while receiver.refusals:
        assert time.monotonic() < end
        time.sleep(0.02)
    exporter.end("passed")
    assert exporter.finish().problem == "1 span not sent to the collector of OTEL_EXPORTER_OTLP_ENDPOINT: status 400"
    assert [one.name for one in receiver.spans] == ["session"]


def test_a_sender_that_is_killed_is_told(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    exporter, _ = open_exporter(*of(tmp_path))
    exporter.begin(Collector(start_trace({})))
    exporter._sender.process.kill()
    exporter.end("passed")
    assert "the process that sends has ended" in exporter.finish().problem
    assert "internal error" in exporter.finish().problem, "as before"


def test_no_space_for_spans_is_told(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    monkeypatch.setattr(session.tempfile, "tempdir", str(tmp_path / "gone"))
    ended, _ = export(of(tmp_path))
    assert ended.problem == "no traces: No such file or directory"


KILLED = """
import os, signal, sys
from pathlib import Path
from pytest_ftc.integrations.opentelemetry.session import open_exporter
from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace
exporter, _ = open_exporter(Path(sys.argv[1]))
collector = Collector(start_trace({}))
exporter.begin(collector)
with collector.collecting():
    with timing().phase(PhaseKind.ARTIFACT, "app"):
        with timing().phase(PhaseKind.PLAN):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_of_a_session_that_is_killed_only_the_open_spans_are_lost(tmp_path, receiver):
    of(tmp_path)
    environ = {**os.environ, ENDPOINT: receiver.url}
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environ)
    assert done.returncode == -signal.SIGKILL
    (root,) = receiver.wait_for("session")
    assert root.failed == "killed"
    assert sorted(one.name for one in receiver.spans) == ["plan", "session"]


def test_the_time_for_the_rest_runs_from_the_end_of_the_session(tmp_path, monkeypatch, receiver):
    monkeypatch.setenv(ENDPOINT, receiver.url)
    receiver.refusals.extend([(0, b"")] * 9)
    exporter, _ = open_exporter(*of(tmp_path))
    exporter.begin(Collector(start_trace({})))
    exporter.end("passed")
    time.sleep(3)  # as long as metrics take, which leave at the same time
    begin = time.monotonic()
    # On a busy machine, the sender may not have come so far as to say why.
    assert re.search("no answer|not sent within 5 s", exporter.finish().problem)
    assert time.monotonic() - begin < 3
