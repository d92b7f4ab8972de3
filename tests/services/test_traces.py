"""Traces of real sessions, as a collector gets them: one each, over workers, retries, farms and what is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from functional.test_retries import FAILS_ONCE, Moody
from other_plugins import environment_with
from otlp_receiver import Received, Receiver, check_connected, receiving
from services.buildbox import free_port
from services.reapi_servers import STANDARD

from pytest_ftc.integrations.opentelemetry.conventions import ATTRIBUTES, SCHEMA_URL

TRACE, PARENT = "ab" * 16, "cd" * 8
CALLER = {"TRACEPARENT": f"00-{TRACE}-{PARENT}-01", "TRACESTATE": "us=1", "BAGGAGE": "who=nobody-else"}
SECRET = "t0ken-of-the-test"
PROJECT = """
[traces]
file = "traces.jsonl"
[attest]
keys = ["release"]
[artifacts.moody]
build = '''{moody}'''
outputs = ["out"]
variations = "all,-network"
[artifacts.clock]
build = "date > out"
outputs = ["out"]
variations = "time"
[artifacts.secret]
build = "test -n \\"$TOKEN\\"; echo $TOKEN >&2; exit 3"
outputs = ["out"]
secrets = ["env:TOKEN"]
"""


def run(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a session in `folder`, with these variables of OpenTelemetry and no others."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "TRACE", "BAGGAGE"))}
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-builds=2", "--ftc-json=report.json", *options]
    return subprocess.run(
        command,
        cwd=folder,
        env={**others, "FTC_STORE": f"{folder}-store", "FTC_KEYRING": f"{folder}-keys", "COLUMNS": "160", **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
    )


def make_project(folder: Path, configuration: str, tests: str = "") -> Path:
    folder.mkdir()
    if configuration:
        (folder / "ftc.toml").write_text(configuration)
    (folder / "pytest.ini").write_text("[pytest]\n")
    if tests:
        (folder / "test_it.py").write_text(tests)
    return folder


def of(spans: list[Received], kind: str, **attributes: object) -> list[Received]:
    """Return those of `spans` of this `kind` with these `attributes`, of whose names only the last part is given."""
    return [
        one
        for one in spans
        if one.name == kind
        and all(
            any(key.endswith(f".{wanted}") and value == found for key, found in one.attributes.items())
            for wanted, value in attributes.items()
        )
    ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@contextmanager
def forwarding(receiver: Receiver, folder: Path) -> Iterator[str]:
    """Run rotel, a collector that forwards to `receiver`; yield its address."""
    import rotel

    port, other = free_port(), free_port()
    process = subprocess.Popen(
        [
            Path(rotel.__file__).parent / "rotel-agent", "start",
            "--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{other}",
            "--exporter", "otlp", "--otlp-exporter-endpoint", receiver.url, "--otlp-exporter-protocol", "http",
            "--pid-file", folder / "rotel.pid", "--log-file", folder / "rotel.log",
        ],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def session(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, subprocess.CompletedProcess[str], Receiver]]:
    """A session with two workers, a build that is retried, a diagnosis, a failure and signatures, by way of rotel."""
    folder = tmp_path_factory.mktemp("traced")
    Moody.asked.clear()
    with receiving() as receiver, ThreadingHTTPServer(("127.0.0.1", 0), Moody) as moody:
        threading.Thread(target=moody.serve_forever, daemon=True).start()
        build = FAILS_ONCE.format(address=f"http://127.0.0.1:{moody.server_port}", message="Input/output error")
        project = make_project(folder / "project", PROJECT.format(moody=build))
        keys = [sys.executable, "-m", "pytest_ftc", "keys", "new", "release", "--keyring", f"{project}-keys"]
        subprocess.run(keys, check=True, capture_output=True)
        with forwarding(receiver, folder) as address:
            done = run(project, "-n2", TOKEN=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=address, **CALLER)
            receiver.wait_for("session")
        moody.shutdown()
        yield project, done, receiver


def test_a_session_over_workers_and_retries_is_one_connected_trace(session) -> None:
    project, done, receiver = session
    assert "3 artifacts" in done.stdout, done.stdout
    assert "traces  " not in done.stdout
    spans = receiver.spans
    root = check_connected(spans)
    assert (root.name, root.trace, root.parent, root.state) == ("session", TRACE, PARENT, "us=1")
    assert root.attributes["ftc.session.outcome"] == "failed"
    assert json.loads((project / "report.json").read_text())["session"]["trace_id"] == TRACE
    workers = {one.attributes["process.pid"] for one in of(spans, "artifact")}
    assert len(workers) == 2
    assert root.attributes["process.pid"] not in workers
    assert {one.schema for one in spans} == {SCHEMA_URL}
    assert {one.resource["service.name"] for one in spans} == {"pytest-ftc"}


def test_each_retry_is_a_span_of_its_build(session) -> None:
    spans = session[2].spans
    for build in of(spans, "build", name="moody"):
        assert build.attributes["ftc.build.attempts"] == 2
        attempts = sorted(
            (one for one in spans if one.parent == build.id and one.name == "attempt"), key=lambda one: one.start
        )
        assert [one.failed for one in attempts] == ["failed", None]
        assert [one.attributes["process.exit.code"] for one in attempts] == [1, 0]
    assert len(of(spans, "build", name="moody", role="control")) == 1


def test_verdicts_diagnoses_and_signatures_are_spans(session) -> None:
    spans = session[2].spans
    (clock,) = of(spans, "artifact", name="clock")
    (diagnosis,) = of(spans, "diagnose")
    assert (clock.failed, clock.attributes["error.type"]) == ("unreproducible", "unreproducible")
    assert diagnosis.parent == clock.id
    assert (
        Counter(one.parent for one in of(spans, "build"))[diagnosis.id]
        == diagnosis.attributes["ftc.diagnose.builds"]
        > 0
    )
    (failed,) = of(spans, "artifact", verdict="failed")
    assert failed.attributes["cicd.pipeline.task.run.result"] == "failure"
    (moody,) = of(spans, "artifact", verdict="reproducible")
    assert re.fullmatch("[0-9a-f]{64}", str(moody.attributes["artifact.hash"]))
    signings = of(spans, "sign")
    (root,) = of(spans, "session")
    assert len(signings) >= 3
    assert {one.parent for one in signings} == {root.id}


def test_metrics_go_to_the_same_collector(session) -> None:
    found = {
        tuple(
            sorted((one.key, one.value.string_value) for one in point.attributes if one.key in ("artifact", "verdict"))
        )
        for request in session[2].metrics
        for resource in request.resource_metrics
        for metric in resource.scope_metrics[0].metrics
        if metric.name == "ftc_verdicts_total" and metric.sum.is_monotonic
        for point in metric.sum.data_points
        if point.as_double == 1
    }
    assert found == {
        (("artifact", "moody"), ("verdict", "reproducible")),
        (("artifact", "clock"), ("verdict", "unreproducible")),
        (("artifact", "secret"), ("verdict", "failed")),
    }


def test_attributes_are_those_of_the_documentation(session) -> None:
    known = {one.name for one in ATTRIBUTES}
    assert {name for one in session[2].spans for name in one.attributes} <= known


def test_no_span_holds_a_secret_a_log_or_what_the_caller_passes_on(session) -> None:
    project, _, receiver = session
    exported = b"".join(receiver.requests) + (project / "traces.jsonl").read_bytes()
    for text in (SECRET, "nobody-else", "Input/output error"):
        assert text.encode() not in exported


def test_the_file_holds_what_the_collector_has(session) -> None:
    project, _, receiver = session
    written = [
        span["spanId"]
        for line in (project / "traces.jsonl").read_text().splitlines()
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]
    assert sorted(written) == sorted(one.id for one in receiver.spans)


DIES = """
import glob, os, signal, tempfile, threading, time
def test_dies(ftc):
    ftc.verify(build="echo x > out", outputs=["out"])
    slow = lambda: ftc.verify(build="sleep 60", outputs=["out"])
    threading.Thread(target=slow, daemon=True).start()
    def planned():
        (mine,) = glob.glob(f"{tempfile.gettempdir()}/ftc-traces-*/{os.getpid()}-*.spans")
        return open(mine).read().count('"kind": "plan"') == 2
    while not planned():
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
def test_other(ftc):
    ftc.verify(build="echo y > out", outputs=["out"])
"""


def test_of_a_worker_that_is_killed_only_the_open_spans_are_lost(tmp_path, receiver) -> None:
    receiver.refusals.append((503, b""))
    project = make_project(tmp_path / "project", "", DIES)
    done = run(project, "-n2", "-p", "no:cacheprovider", "test_it.py", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert "crashed while running" in done.stdout, done.stdout
    # A worker that is killed cannot remove its work folder; a later session does.
    for folder in Path(tempfile.gettempdir()).glob("pytest-ftc-*"):
        shutil.rmtree(folder)
    spans = receiver.spans
    known = {one.id for one in spans}
    assert {str(one.attributes["ftc.artifact.id"]) for one in of(spans, "artifact")} == {
        "test_it.py::test_dies",
        "test_it.py::test_other",
    }
    lost = {one.parent for one in spans if one.parent not in known} - {""}
    assert len(lost) == 1, "all that is unknown is the artifact that was open"
    assert "plan" in {one.name for one in spans if one.parent in lost}
    check_connected([one for one in spans if one.parent not in lost])


def test_builds_of_a_farm_are_in_the_trace(tmp_path, receiver, running_casd) -> None:
    properties = ", ".join(f'{name} = "{value}"' for name, value in STANDARD.items())
    project = make_project(
        tmp_path / "project",
        f'[remote]\nendpoint = "grpc://{running_casd.target}"\nproperties = {{{properties}}}\n'
        '[artifacts.app]\nbuild = "echo x > out"\noutputs = ["out"]\n',
    )
    done = run(project, "--ftc-executor=reapi", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert "1 passed" in done.stdout, done.stdout
    root = check_connected(receiver.spans)
    assert (root.name, root.parent) == ("session", "")
    executions = of(receiver.spans, "execute")
    assert [one.attributes["ftc.execute.executions"] for one in executions] == [1, 1]
    attempts = {one.id for one in of(receiver.spans, "attempt")}
    assert {one.parent for one in executions} <= attempts
    assert len(of(receiver.spans, "build")) == 2


def test_a_session_with_pytest_opentelemetry_is_part_of_its_trace(tmp_path, receiver) -> None:
    project = make_project(
        tmp_path / "project", '[artifacts.app]\nbuild = "echo x > out"\noutputs = ["out"]\n', "def test_it(): pass\n"
    )
    done = run(
        project, "-n2", "--export-traces", "test_it.py", "ftc.toml",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url, OTEL_TRACES_EXPORTER="otlp_proto_http",
        **environment_with("pytest_opentelemetry"),
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout
    (ours,), (theirs,) = of(receiver.spans, "session"), of(receiver.spans, "test run")
    assert (ours.trace, ours.parent) == (theirs.trace, theirs.id)
    assert {one.trace for one in receiver.spans} == {theirs.trace}


def test_a_collector_that_is_away_costs_one_line(tmp_path) -> None:
    project = make_project(tmp_path / "project", '[artifacts.app]\nbuild = "echo x > out"\noutputs = ["out"]\n')
    address = f"http://me:pass-word@127.0.0.1:{free_port()}"
    done = run(project, "--ftc-variations=home", OTEL_EXPORTER_OTLP_ENDPOINT=address)
    assert done.returncode == 0, done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("  traces")]
    assert line.endswith(" spans not sent to the collector of OTEL_EXPORTER_OTLP_ENDPOINT: Connection refused")
    assert "pass-word" not in done.stdout
