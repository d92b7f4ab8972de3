"""What each objective measures, as SQL: which records are events, and the value of an event."""

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


class Table(Enum):
    """Where events are recorded, each with the time ``ended``."""

    VERIFICATIONS = "verified"
    SESSIONS = "sessions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """What one objective measures."""

    kind: Kind
    value: str
    """An expression for the value of an event; it may use ``:per_cpu_hour`` and ``:per_gb``."""
    table: Table = Table.VERIFICATIONS
    where: str = "true"
    """Which records of the table are events."""
    total: str = "1"
    """An expression for how many could have been good."""
    percent: int = 50
    """The percentile, for that kind."""


_BUILT = "build_seconds is not null"

MEASURES = {
    "build_success": Measure(kind=Kind.SHARE, value="verdict not in ('failed', 'error')", where="cached is not true"),
    "build_time_median": Measure(kind=Kind.PERCENTILE, value="build_seconds", where=_BUILT),
    "build_time_p95": Measure(kind=Kind.PERCENTILE, value="build_seconds", where=_BUILT, percent=95),
    "cache_hit_rate": Measure(kind=Kind.SHARE, value="cached", where="cached is not null"),
    "verification_time_p95": Measure(kind=Kind.PERCENTILE, value="seconds", percent=95),
    "reproducible_share": Measure(
        kind=Kind.SHARE,
        value="verdict = 'reproducible'",
        where="verdict in ('reproducible', 'unreproducible', 'fragile')",
    ),
    "store_write_success": Measure(
        kind=Kind.SHARE, table=Table.SESSIONS, value="writes - failed_writes", total="writes"
    ),
    "failed_signings": Measure(kind=Kind.SUM, table=Table.SESSIONS, value="failed_signings", total="signings"),
    "mismatch_incidents": Measure(kind=Kind.SUM, value="mismatch"),
    "time_to_deployable": Measure(kind=Kind.PERCENTILE, value="deployable", where="deployable is not null", percent=95),
    "cost_per_artifact": Measure(kind=Kind.MEAN, value="cpu_seconds / 3600.0 * :per_cpu_hour + bytes / 1e9 * :per_gb"),
}
"""By the name of the objective."""
