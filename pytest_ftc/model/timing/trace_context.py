"""The trace that a session belongs to, as W3C Trace Context and W3C Baggage have it.

See https://www.w3.org/TR/trace-context/, https://www.w3.org/TR/baggage/ and, for the names of the variables,
https://opentelemetry.io/docs/specs/otel/context/env-carriers/.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

TRACEPARENT, TRACESTATE, BAGGAGE = "TRACEPARENT", "TRACESTATE", "BAGGAGE"
TRACE_VARIABLES = (TRACEPARENT, TRACESTATE, BAGGAGE)
"""The variables that carry a trace to another process."""

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL)
_STATE_KEY = r"[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}|[a-z][a-z0-9_\-*/]{0,255}"
_STATE_VALUE = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_STATE_MEMBER = re.compile(f"({_STATE_KEY})={_STATE_VALUE}")
_MOST_MEMBERS = 32
"""Members of a TRACESTATE, as the specification has it."""
_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_BAGGAGE_VALUE = r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*"
_PROPERTY = rf"[ \t]*;[ \t]*{_TOKEN}(?:[ \t]*=[ \t]*{_BAGGAGE_VALUE})?"
_BAGGAGE_MEMBER = re.compile(rf"{_TOKEN}[ \t]*=[ \t]*{_BAGGAGE_VALUE}(?:{_PROPERTY})*")
_MOST_BAGGAGE = 8192
"""Bytes that every implementation passes on, and this one at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """The trace of a session, which all its processes share."""

    trace_id: str
    """32 hexadecimal digits."""
    session_span: str
    """16 hexadecimal digits: the ID of the session's span, the parent of all outermost phases."""
    parent_span: str = ""
    """The ID of the span that the session is part of; empty where the session is a trace of its own."""
    sampled: bool = True
    """Whether the caller records this trace."""
    state: str = ""
    """What tracing systems add to the trace, as in TRACESTATE."""
    baggage: str = field(default="", repr=False)
    """What the caller wants to pass on, as in BAGGAGE; it may hold what nobody else should read."""

    def traceparent(self, span: str) -> str:
        """Return the value of TRACEPARENT for a child of `span`."""
        return f"00-{self.trace_id}-{span}-{'01' if self.sampled else '00'}"


def foreign_trace(token: str) -> dict[str, str]:
    """Return the variables of a trace that nobody records: always the same for `token`, others for another."""
    digits = hashlib.sha256(f"trace {token}".encode()).hexdigest()
    return {
        TRACEPARENT: f"00-{digits[:32]}-{digits[32:48]}-00",
        TRACESTATE: f"ftc={token}",
        BAGGAGE: f"ftc.build={token}",
    }


def start_trace(environ: Mapping[str, str]) -> TraceContext:
    """Return the context of a new session: part of the trace that `environ` names, or else a trace of its own.

    Invalid values are ignored, as the specifications want it.
    """
    baggage = _valid_baggage(environ.get(BAGGAGE, ""))
    parent = parse_traceparent(environ.get(TRACEPARENT, ""))
    if parent is None:
        return TraceContext(trace_id=secrets.token_hex(16), session_span=new_span(), baggage=baggage)
    trace_id, span, sampled = parent
    return TraceContext(
        trace_id=trace_id,
        session_span=new_span(),
        parent_span=span,
        sampled=sampled,
        state=_valid_state(environ.get(TRACESTATE, "")),
        baggage=baggage,
    )


def new_span() -> str:
    """Return a random ID of a span: 16 hexadecimal digits."""
    return secrets.token_hex(8)


def parse_traceparent(text: str) -> tuple[str, str, bool] | None:
    """Return the ID of the trace, that of the span and whether it is sampled; None for an invalid value."""
    match = _TRACEPARENT.fullmatch(text)
    if match is None:
        return None
    version, trace_id, span, flags, rest = match.groups()
    # Later versions may append fields; ff is no version.
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if not trace_id.strip("0") or not span.strip("0"):
        return None
    return trace_id, span, bool(int(flags, 16) & 1)


def _valid_state(text: str) -> str:
    """Return the valid value of TRACESTATE without empty members; empty if `text` is invalid."""
    members = [member for item in text.split(",") if (member := item.strip(" \t"))]
    keys = [match[1] for member in members if (match := _STATE_MEMBER.fullmatch(member))]
    if len(keys) != len(members) or len(set(keys)) != len(keys) or len(keys) > _MOST_MEMBERS:
        return ""
    return ",".join(members)


def _valid_baggage(text: str) -> str:
    members = [item.strip(" \t") for item in text.split(",")]
    if len(text) > _MOST_BAGGAGE or not all(map(_BAGGAGE_MEMBER.fullmatch, members)):
        return ""
    return ",".join(members)
