"""From phases to spans: IDs, times, names by the conventions, and which attributes there are."""

import importlib
import pkgutil

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.semconv._incubating import attributes as incubating
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import StatusCode

from pytest_ftc.integrations.opentelemetry.conventions import ATTRIBUTES, SCHEMA_URL, SESSION, SPANS, attribute_of
from pytest_ftc.integrations.opentelemetry.spans import SpanMaker, describe
from pytest_ftc.integrations.opentelemetry.spool import Span
from pytest_ftc.model.timing.phase import PhaseKind
from pytest_ftc.model.timing.trace_context import TraceContext

CONTEXT = TraceContext(trace_id="ab" * 16, session_span="cd" * 8, parent_span="ef" * 8, state="a=b,c=d")


def span(kind, **more):
    return Span(
        **{"id": "12" * 8, "parent": "cd" * 8, "kind": kind, "name": "", "started": 10.5, "seconds": 2.25, **more}
    )


def make(one):
    return SpanMaker(CONTEXT, Resource({"service.name": "x"})).make(one)


def test_every_phase_has_a_span_of_the_catalogue():
    assert [one.name for one in SPANS] == [SESSION, *(kind.value for kind in PhaseKind)]


def test_names_that_are_not_ours_are_those_of_the_pinned_conventions():
    known = {
        value
        for info in pkgutil.iter_modules(incubating.__path__)
        for value in vars(importlib.import_module(f"{incubating.__name__}.{info.name}")).values()
        if isinstance(value, str)
    }
    assert {one.name for one in ATTRIBUTES if not one.name.startswith("ftc.")} <= known
    assert SCHEMA_URL in {schema.value for schema in Schemas}


def test_attributes_are_of_spans_that_there_are():
    kinds = {one.name for one in SPANS} | {"all", "all that failed"}
    assert {kind for one in ATTRIBUTES for kind in one.spans} <= kinds
    assert len({one.name for one in ATTRIBUTES}) == len(ATTRIBUTES)


def test_a_span_has_the_ids_and_times_of_its_phase():
    made = make(span("plan"))
    assert (made.name, made.start_time, made.end_time) == ("plan", 10_500_000_000, 12_750_000_000)
    assert (made.context.trace_id, made.context.span_id) == (int("ab" * 16, 16), int("12" * 8, 16))
    assert made.parent.span_id == int("cd" * 8, 16)
    assert not made.parent.is_remote
    assert made.context.trace_flags.sampled
    assert made.context.trace_state.to_header() == "a=b,c=d"
    assert made.instrumentation_scope.schema_url == SCHEMA_URL
    assert made.status.status_code is StatusCode.UNSET


def test_the_parent_of_the_session_is_elsewhere():
    made = make(span(SESSION, parent="ef" * 8, attributes={"outcome": "passed", "artifacts": 3}))
    assert made.parent.is_remote
    assert dict(made.attributes) | {"ftc.session.outcome": "passed", "ftc.session.artifacts": 3} == dict(
        made.attributes
    )
    assert make(span(SESSION, parent="")).parent is None


def test_a_build_is_a_task_with_its_role_and_result():
    found = describe(
        span("build", name="app-control", process=7, attributes={"artifact": "app", "role": "control", "exit_code": 0})
    )
    assert found == {
        "cicd.pipeline.task.name": "control",
        "cicd.pipeline.task.run.id": "app-control",
        "cicd.pipeline.task.run.result": "success",
        "cicd.pipeline.task.type": "build",
        "ftc.artifact.name": "app",
        "ftc.build.id": "app-control",
        "ftc.build.role": "control",
        "process.exit.code": 0,
        "process.pid": 7,
    }


@pytest.mark.parametrize(
    ("problem", "result", "error"),
    [
        ("failed", "failure", "failed"),
        ("timeout", "timeout", "timeout"),
        ("lost", "error", "lost"),
        ("KeyboardInterrupt", "cancellation", "KeyboardInterrupt"),
        ("exit status 3 of a build", "failure", "_OTHER"),
    ],
)
def test_what_failed_says_so_in_few_words(problem, result, error):
    made = make(span("artifact", name="app", problem=problem))
    assert made.status.status_code is StatusCode.ERROR
    assert made.status.description == problem
    assert made.attributes["cicd.pipeline.task.run.result"] == result
    assert made.attributes["error.type"] == error


def test_hostile_names_are_escaped_and_bounded():
    made = make(span("artifact", name="a\udc80\x1b[31m" + "x" * 9999, problem="\x1b" * 9999))
    name = made.attributes["ftc.artifact.name"]
    assert name.startswith(r"a\x80\x1b[31m")
    assert len(name) <= 1000
    assert made.status.description.isprintable()
    assert len(made.status.description) <= 300


def test_an_attribute_that_the_catalogue_does_not_have_is_told_apart_by_its_span():
    assert attribute_of("store get", "tier") == "ftc.store_get.tier"
    assert attribute_of("execute", "worker") == "cicd.worker.id"
