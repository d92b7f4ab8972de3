"""Traces are loaded only where they are asked for."""

import subprocess
import sys

import pytest

from pytest_ftc.config.load import load_config
from pytest_ftc.model.timing.collector import Collector, timing
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.traces.session import SessionTraces, write_spans

PROGRAM = """
import os, sys
from pathlib import Path
for name in [name for name in os.environ if name.startswith("OTEL_")]:
    del os.environ[name]
from pytest_ftc.config.load import load_config
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.variations.specification import Vocabulary
from pytest_ftc.verification.traces.session import SessionTraces, write_spans
traces = SessionTraces(load_config(Path(sys.argv[1]), {}, Vocabulary(())))
collector = Collector(start_trace({}))
traces.begin(collector)
write_spans(collector, traces.folder)
traces.end("passed", 0)
traces.finish()
traces.finish()
print([name for name in sys.modules if "opentelemetry" in name])
"""


def test_with_nothing_configured_nothing_is_imported(tmp_path):
    (tmp_path / "pyproject.toml").touch()
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_worker_writes_where_its_controller_sends(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text('[tool.ftc.traces]\nfile = "t.jsonl"\n')
    traces = SessionTraces(load_config(tmp_path, {}, Vocabulary(())))
    assert traces.folder == ""
    controller, worker = Collector(start_trace({})), Collector(start_trace({}))
    traces.begin(controller)
    write_spans(worker, traces.folder)
    with worker.collecting(), timing().phase(PhaseKind.COMPARE):
        pass
    traces.end("failed", 1)
    traces.finish()
    assert traces.problem == ""
    text = (tmp_path / "t.jsonl").read_text()
    assert '"name":"compare"' in text
    assert '"name":"session"' in text


@pytest.mark.parametrize("config", [None])
def test_a_worker_itself_exports_nothing(config, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    traces = SessionTraces(config)
    traces.begin(Collector(start_trace({})))
    assert traces.folder == ""
