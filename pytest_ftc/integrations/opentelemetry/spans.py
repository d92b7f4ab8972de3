"""From spans as the session has written them to those of OpenTelemetry's SDK, with the same IDs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from pytest_ftc import __version__
from pytest_ftc.integrations.opentelemetry.conventions import (
    ERROR_TYPE,
    PROCESS,
    SCHEMA_URL,
    SESSION,
    TASK_NAME,
    TASK_RESULT,
    TASK_RUN_ID,
    TASK_TYPE,
    TASKS,
    attribute_of,
)
from pytest_ftc.integrations.opentelemetry.spool import Span
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.timing.phase import PhaseKind, Value
from pytest_ftc.model.timing.trace_context import TraceContext

_LONGEST = 1000
"""Characters of an attribute."""
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_RESULTS = {
    "timeout": "timeout",
    "lost": "error",
    "error": "error",
    "interrupted": "cancellation",
    "CancelledError": "cancellation",
    "KeyboardInterrupt": "cancellation",
}
"""The result of a task by its problem, where it is not a failure."""


class SpanMaker:
    """Makes the spans of one session."""

    def __init__(self, context: TraceContext, resource: Resource) -> None:
        self._context = context
        self._resource = resource
        self._scope = InstrumentationScope("pytest_ftc", __version__, SCHEMA_URL)
        self._trace = int(context.trace_id, 16)
        self._state = TraceState.from_header([context.state]) if context.state else TraceState()

    def make(self, span: Span) -> ReadableSpan:
        """Return `span` as one of the SDK."""
        start = round(span.started * 1e9)
        problem = shorten(span.problem)
        return ReadableSpan(
            name=span.kind,
            context=self._span_context(span.id),
            # Only the session's span can have a parent that another process has made.
            parent=self._span_context(span.parent, remote=span.kind == SESSION) if span.parent else None,
            resource=self._resource,
            attributes=describe(span),
            kind=SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            status=Status(StatusCode.ERROR, problem) if problem else Status(StatusCode.UNSET),
            start_time=start,
            end_time=start + round(span.seconds * 1e9),
        )

    def _span_context(self, span: str, *, remote: bool = False) -> SpanContext:
        return SpanContext(self._trace, int(span, 16), remote, _SAMPLED, self._state)


def describe(span: Span) -> dict[str, Value]:
    """Return the attributes of `span`."""
    given = {name: value for name, value in span.attributes.items() if value != ""}
    found = {attribute_of(span.kind, name): _printable(value) for name, value in given.items()}
    found |= _name(span)
    if task := TASKS.get(span.kind):
        found |= {TASK_TYPE: task, TASK_RESULT: _result(span)}
        found[TASK_NAME], found[TASK_RUN_ID] = _task(span)
    if span.problem:
        # Few values are possible, as the conventions want it: texts with details are no types.
        found[ERROR_TYPE] = span.problem if re.fullmatch(r"[A-Za-z_]{1,60}", span.problem) else "_OTHER"
    return {**found, PROCESS: span.process}


def _name(span: Span) -> Mapping[str, Value]:
    if not span.name:
        return {}
    builds = (PhaseKind.BUILD.value, PhaseKind.ATTEMPT.value)
    return {"ftc.build.id" if span.kind in builds else "ftc.artifact.name": _printable(span.name)}


def _task(span: Span) -> tuple[Value, Value]:
    """Return the name and the ID of the run of a task."""
    if span.kind == SESSION:
        return f"ftc {span.attributes.get('command', 'verify')}", span.id
    if span.kind == PhaseKind.BUILD.value:
        return _printable(span.attributes.get("role", "build")), _printable(span.name)
    return _printable(span.name), span.id


def _result(span: Span) -> str:
    return _RESULTS.get(span.problem, "failure") if span.problem else "success"


def _printable(value: Value) -> Value:
    return shorten(value, _LONGEST) if isinstance(value, str) else value
