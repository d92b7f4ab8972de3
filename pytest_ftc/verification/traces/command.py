"""The trace of a command, which leaves it as the variables ``OTEL_*`` say."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.verification.traces.session import MODULE, is_asked_for


def traced(command: str, run: Callable[[], int], warn: Callable[[str], None]) -> int:
    """Return what `run` does for `command`, and export it as a part of the trace that the environment names.

    `warn` is told what was not exported; that changes nothing else.
    """
    exporter, problem = import_module(MODULE).open_exporter(Path.cwd()) if is_asked_for(os.environ) else (None, "")
    outcome = "error"
    if exporter:
        exporter.begin(collector := Collector(start_trace(os.environ)))
    try:
        if exporter is None:
            return run()
        with collector.collecting():
            status = run()
        outcome = "failed" if status else "passed"
        return status
    finally:
        if problem := problem or _finish(exporter, outcome, command):
            warn(f"traces: {problem}")


def _finish(exporter: Any, outcome: str, command: str) -> str:
    if exporter is None:
        return ""
    exporter.end(outcome, command=command)
    ended = exporter.finish()
    return "; ".join(filter(None, (ended.problem, *ended.console)))
