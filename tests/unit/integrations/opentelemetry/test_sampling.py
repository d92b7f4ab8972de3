"""Whether a trace is exported, by the variables of OpenTelemetry."""

import pytest
from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased

from pytest_ftc.integrations.opentelemetry.sampling import is_sampled
from pytest_ftc.model.timing.trace_context import TraceContext, start_trace


def context(*, parent="", sampled=True):
    return TraceContext(trace_id="ab" * 16, session_span="cd" * 8, parent_span=parent, sampled=sampled)


@pytest.mark.parametrize(
    ("sampler", "alone", "asked", "not_asked"),
    [
        ("", True, True, False),
        ("parentbased_always_on", True, True, False),
        ("parentbased_always_off", False, True, False),
        ("always_on", True, True, True),
        ("ALWAYS_OFF ", False, False, False),
        ("traceidratio", True, True, True),
        ("parentbased_traceidratio", True, True, False),
    ],
)
def test_the_caller_decides_where_the_sampler_says_so(sampler, alone, asked, not_asked):
    environ = {"OTEL_TRACES_SAMPLER": sampler}
    assert is_sampled(context(), environ) == (alone, "")
    assert is_sampled(context(parent="ef" * 8), environ) == (asked, "")
    assert is_sampled(context(parent="ef" * 8, sampled=False), environ) == (not_asked, "")


@pytest.mark.parametrize("ratio", ["0", "0.001", "0.25", "0.5", "0.999", "1"])
def test_a_ratio_decides_as_the_sdk_does(ratio):
    sampler = TraceIdRatioBased(float(ratio))
    environ = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": ratio}
    for _ in range(300):
        one = start_trace({})
        theirs = sampler.should_sample(None, int(one.trace_id, 16), "session").decision
        assert is_sampled(one, environ) == (theirs is Decision.RECORD_AND_SAMPLE, "")


@pytest.mark.parametrize("value", ["much", "1.5", "-1", "nan"])
def test_a_bad_ratio_counts_as_one_and_is_told(value):
    sampled, problem = is_sampled(context(), {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": value})
    assert sampled
    assert problem.startswith("OTEL_TRACES_SAMPLER_ARG: expected a ratio from 0 to 1")


def test_an_unknown_sampler_counts_as_the_usual_one_and_is_told():
    sampled, problem = is_sampled(context(parent="ef" * 8, sampled=False), {"OTEL_TRACES_SAMPLER": "jaeger_remote"})
    assert not sampled
    assert problem.startswith("OTEL_TRACES_SAMPLER: expected one of always_on, ")
