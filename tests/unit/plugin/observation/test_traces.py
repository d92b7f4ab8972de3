"""A session's trace is part of the span that is open when it starts."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from pytest_ftc.model.timing.trace_context import start_trace
from pytest_ftc.plugin.observation.traces import join_current_span

OPEN = NonRecordingSpan(
    SpanContext(int("ab" * 16, 16), int("cd" * 8, 16), False, TraceFlags(1), TraceState([("a", "b")]))
)
OTHER = NonRecordingSpan(SpanContext(int("12" * 16, 16), int("34" * 8, 16), False, TraceFlags(0)))


def config(*plugins):
    return SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=lambda: {object(), *plugins}))


def plugin_of(module, span):
    made = type("Plugin", (), {"session_span": span})
    made.__module__ = module
    return made()


def joined(context):
    return context.trace_id, context.parent_span, context.sampled, context.state


def test_without_an_open_span_the_trace_stays():
    context = start_trace({"TRACEPARENT": f"00-{'ef' * 16}-{'98' * 8}-01"})
    assert join_current_span(config(), context) == context


def test_the_span_that_is_open_here_is_the_parent():
    context = start_trace({})
    with trace.use_span(OPEN):
        found = join_current_span(config(), context)
    assert joined(found) == ("ab" * 16, "cd" * 8, True, "a=b")
    assert found.session_span == context.session_span


def test_that_of_pytest_opentelemetry_comes_first():
    theirs = plugin_of("pytest_opentelemetry.instrumentation", OTHER)
    others = plugin_of("conftest", OPEN)
    with trace.use_span(OPEN):
        found = join_current_span(config(theirs, others), start_trace({}))
    assert joined(found) == ("12" * 16, "34" * 8, False, "")


@pytest.mark.parametrize("loaded", [False, True])
def test_it_is_asked_only_where_it_is_loaded(loaded):
    program = (
        ("import opentelemetry.trace\n" if loaded else "")
        + "import sys\nfrom pytest_ftc.model.timing.trace_context import start_trace\n"
        "from pytest_ftc.plugin.observation.traces import join_current_span\n"
        "from types import SimpleNamespace\n"
        "config = SimpleNamespace(pluginmanager=SimpleNamespace(get_plugins=set))\n"
        "context = start_trace({})\n"
        "assert join_current_span(config, context) == context\n"
        "print('opentelemetry.trace' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(loaded)
