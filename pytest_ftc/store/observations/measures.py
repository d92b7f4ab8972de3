"""What each objective measures, as SQL: a table of events, each with its time ``at`` and a ``value``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What is made of the values of events."""

    SHARE = "share"
    """Values are numbers of good events, of a `total`."""
    PERCENTILE = "percentile"
    """The nearest rank; an event above the target is a bad one."""
    SUM = "sum"
    MEAN = "mean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What one objective measures."""

    kind: Kind
    events: str
    """A query for ``at``, ``value`` and ``total``; its parameters are ``:project``, ``:since``, and prices."""
    percent: int = 50
    """The percentile, for that kind."""


def _verifications(value: str, where: str = "true", total: str = "1") -> str:
    return (
        f"select ended as at, {value} as value, {total} as total from verified"
        f" where project = :project and ended >= :since and {where}"
    )


def _sessions(value: str, total: str = "1") -> str:
    return (
        f"select ended as at, {value} as value, {total} as total from sessions"
        " where project = :project and ended >= :since"
    )


_BUILT = "build_seconds is not null"
_COST = "cpu_seconds / 3600.0 * :per_cpu_hour + bytes / 1e9 * :per_gb"

MEASURES = {
    "build_success": Measure(
        kind=Kind.SHARE, events=_verifications("verdict not in ('failed', 'error')", "cached is not true")
    ),
    "build_time_median": Measure(kind=Kind.PERCENTILE, events=_verifications("build_seconds", _BUILT)),
    "build_time_p95": Measure(kind=Kind.PERCENTILE, events=_verifications("build_seconds", _BUILT), percent=95),
    "cache_hit_rate": Measure(kind=Kind.SHARE, events=_verifications("cached", "cached is not null")),
    "verification_time_p95": Measure(kind=Kind.PERCENTILE, events=_verifications("seconds"), percent=95),
    "reproducible_share": Measure(
        kind=Kind.SHARE,
        events=_verifications("verdict = 'reproducible'", "verdict in ('reproducible', 'unreproducible', 'fragile')"),
    ),
    "store_write_success": Measure(kind=Kind.SHARE, events=_sessions("writes - failed_writes", "writes")),
    "failed_signings": Measure(kind=Kind.SUM, events=_sessions("failed_signings", "signings")),
    "mismatch_incidents": Measure(kind=Kind.SUM, events=_verifications("mismatch")),
    "time_to_deployable": Measure(
        kind=Kind.PERCENTILE, events=_verifications("deployable", "deployable is not null"), percent=95
    ),
    "cost_per_artifact": Measure(kind=Kind.MEAN, events=_verifications(_COST)),
}
"""By the name of the objective."""
