"""JSON: the paths of the values that differ."""

from __future__ import annotations

import json

from pytest_ftc.comparison.members.chosen import choose
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.comparison.members.values import compare_values

_LARGEST = 4 << 20


def compare_json(one: Span, other: Span, budget: Budget) -> tuple[Found, ...]:
    """Return the first values that differ; nothing if it is not JSON, or neither values nor order differ."""
    if max(one.size, other.size) > _LARGEST or one.read(0, 1) not in (b"{", b"[") or other.read(0, 1) != one.read(0, 1):
        return ()
    try:
        control, experiment = (json.loads(span.read(0, span.size)) for span in (one, other))
        return choose(compare_values(control, experiment, budget), "key", budget)
    except (ValueError, RecursionError):
        return ()
