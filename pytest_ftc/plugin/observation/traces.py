"""The trace of a session: where it comes from, how workers of pytest-xdist get it, and when its spans leave."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.config.load import Config
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.model.timing.collector import Collector
from pytest_ftc.model.timing.trace_context import TraceContext, parse_traceparent, start_trace
from pytest_ftc.plugin.settings import usage_errors
from pytest_ftc.reporting.terminal.style import show
from pytest_ftc.verification.traces.session import SessionTraces, write_spans

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_THEIRS = "pytest_opentelemetry."
_TRACE, _FOLDER = "ftc_trace", "ftc_traces"
_OUTCOMES: dict[int, str] = {
    pytest.ExitCode.OK: "passed",
    pytest.ExitCode.NO_TESTS_COLLECTED: "passed",
    pytest.ExitCode.TESTS_FAILED: "failed",
    pytest.ExitCode.INTERRUPTED: "interrupted",
}


def find_trace(config: pytest.Config) -> TraceContext:
    """Return the trace of the session: for a worker of pytest-xdist, that of its controller."""
    given = getattr(config, "workerinput", {}).get(_TRACE)
    return from_json(TraceContext, json.loads(given)) if given else start_trace(os.environ)


def outcome_of(session: pytest.Session) -> str:
    """Return how `session` has ended: ``passed``, ``failed``, ``interrupted`` or ``error``."""
    return _OUTCOMES.get(session.exitstatus, "error")


class TracesOfSession:
    """Exports the phases of `collector`, those of workers of pytest-xdist too."""

    def __init__(self, config: pytest.Config, settings: Config, collector: Collector, count: Callable[[], int]) -> None:
        """`count` returns how many artifacts have a verdict.  Raises a usage error if nothing could be exported."""
        self._config = config
        self._collector = collector
        self._count = count
        self._is_worker = hasattr(config, "workerinput")
        observed = not (self._is_worker or config.option.collectonly)
        with usage_errors():
            self._traces = SessionTraces(settings if observed else None)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        if self._is_worker:
            write_spans(self._collector, self._config.workerinput.get(_FOLDER, ""))  # type: ignore[attr-defined]
            return
        # Plugins that make spans of their own have opened that of the session by now, and pytest-xdist no worker.
        self._collector.context = join_current_span(self._config, self._collector.context)
        self._traces.begin(self._collector)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[_TRACE] = json.dumps(to_json(self._collector.context))
        node.workerinput[_FOLDER] = self._traces.folder

    def end(self, session: pytest.Session) -> None:
        """End the trace: `session` has no more phases.  Its spans leave while metrics do, within the same time."""
        self._traces.end(outcome_of(session), self._count())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        try:
            return (yield)
        finally:
            self._traces.finish()

    def pytest_unconfigure(self) -> None:
        self._traces.finish()

    def print_rest(self, terminalreporter: TerminalReporter) -> None:
        """Print the spans that are for the terminal, and what was not exported."""
        for line in self._traces.console:
            terminalreporter.write_line(defuse(show(line)))
        if self._traces.problem:
            terminalreporter.write_line(defuse(f"  traces      {show(self._traces.problem)}"))


def join_current_span(config: pytest.Config, context: TraceContext) -> TraceContext:
    """Return `context` inside the span of pytest-opentelemetry, or the one that is open here; as it is if none is."""
    if "opentelemetry.trace" not in sys.modules:
        return context
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    # That plugin opens the span of the session without making it the current one.
    plugins = [one for one in config.pluginmanager.get_plugins() if type(one).__module__.startswith(_THEIRS)]
    span = next((found for one in plugins if (found := getattr(one, "session_span", None))), trace.get_current_span())
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier, trace.set_span_in_context(span))
    found = parse_traceparent(carrier.get("traceparent", ""))
    if found is None:
        return context
    trace_id, parent, sampled = found
    return replace(context, trace_id=trace_id, parent_span=parent, sampled=sampled, state=carrier.get("tracestate", ""))
