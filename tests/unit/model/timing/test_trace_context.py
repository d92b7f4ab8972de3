import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.model.timing.trace_context import TraceContext, parse_traceparent, start_trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


def hexadecimal(digits):
    return st.text("0123456789abcdef", min_size=digits, max_size=digits).filter(lambda text: text.strip("0"))


@given(trace=hexadecimal(32), span=hexadecimal(16), own=hexadecimal(16), sampled=st.booleans())
def test_a_session_joins_the_trace_that_it_is_given(trace, span, own, sampled):
    given_context = TraceContext(trace_id=trace, session_span=own, sampled=sampled)
    joined = start_trace({"TRACEPARENT": given_context.traceparent(span)})
    assert (joined.trace_id, joined.parent_span, joined.sampled) == (trace, span, sampled)
    assert parse_traceparent(joined.traceparent(joined.session_span)) == (trace, joined.session_span, sampled)
    assert joined.session_span not in (span, own)


@pytest.mark.parametrize(
    "invalid",
    [
        "",
        VALID.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"{VALID}-more",
        f"{VALID}\n",
        f"{VALID}0",
        f"01-{TRACE}-{SPAN}-01.more",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-0x",
        VALID.replace("4", "٤"),
    ],
)
def test_an_invalid_parent_is_ignored_with_its_state(invalid):
    context = start_trace({"TRACEPARENT": invalid, "TRACESTATE": "a=1", "BAGGAGE": "k=v"})
    assert (context.parent_span, context.state, context.sampled) == ("", "", True)
    assert context.trace_id != TRACE
    assert context.baggage == "k=v"
    assert re.fullmatch("[0-9a-f]{32}", context.trace_id)
    assert re.fullmatch("[0-9a-f]{16}", context.session_span)


@given(st.text())
def test_any_text_is_either_a_parent_or_ignored(text):
    context = start_trace({"TRACEPARENT": text, "TRACESTATE": text, "BAGGAGE": text})
    assert parse_traceparent(context.traceparent(context.session_span)) is not None


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        (f"01-{TRACE}-{SPAN}-01", (TRACE, SPAN, True)),
        (f"cc-{TRACE}-{SPAN}-fe-of a later version", (TRACE, SPAN, False)),
        (f"00-{TRACE}-{SPAN}-03", (TRACE, SPAN, True)),
    ],
)
def test_later_versions_and_other_flags_are_read(parent, expected):
    assert parse_traceparent(parent) == expected


@pytest.mark.parametrize(
    ("state", "kept"),
    [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
        ("a=1 ,\tb=2,,", "a=1,b=2"),
        ("tenant@vendor=x", "tenant@vendor=x"),
        ("a=1,a=2", ""),
        ("A=1", ""),
        ("a=b=c", ""),
        ("a", ""),
        ("a=\x1b[31m", ""),
        (",".join(f"k{number}=v" for number in range(33)), ""),
    ],
)
def test_a_state_is_passed_on_only_if_it_is_valid(state, kept):
    assert start_trace({"TRACEPARENT": VALID, "TRACESTATE": state}).state == kept


@pytest.mark.parametrize(
    ("baggage", "kept"),
    [
        ("userId=alice,serverNode=DF%2028", "userId=alice,serverNode=DF%2028"),
        ("key = value ; property = 1 ; flag", "key = value ; property = 1 ; flag"),
        ("a=1,", ""),
        ("a=ä", ""),
        ("a=1\n", ""),
        ("no member", ""),
        ("a=" + "x" * 8191, ""),
    ],
)
def test_baggage_is_passed_on_only_if_it_is_valid(baggage, kept):
    assert start_trace({"BAGGAGE": baggage}).baggage == kept


def test_it_travels_to_other_processes_and_hides_the_baggage():
    context = start_trace({"TRACEPARENT": VALID, "TRACESTATE": "a=1", "BAGGAGE": "token=hush"})
    assert from_json(TraceContext, to_json(context)) == context
    assert "hush" not in repr(context)
