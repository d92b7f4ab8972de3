"""Observations, for the tests of objectives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pytest_ftc.model.objectives.observed import SessionObserved, VerificationObserved
from pytest_ftc.store.observations.database import Observations

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86400.0


def verified(ago: float = HOUR / 2, **changes: Any) -> VerificationObserved:
    """Return a verification that built and ended this many seconds `ago`, with `changes`."""
    usual: dict[str, Any] = {
        "project": "/project",
        "artifact": "ftc.toml::ftc::app",
        "verdict": "reproducible",
        "cached": False,
        "mismatch": False,
        "ended": NOW - ago,
        "seconds": 10.0,
        "build_seconds": 4.0,
        "cpu_seconds": 8.0,
        "bytes": 1000,
        "commit": "",
        "committed": None,
    }
    return VerificationObserved(**{**usual, **changes})


def ended(ago: float = HOUR / 2, **changes: Any) -> SessionObserved:
    """Return a session that ended this many seconds `ago`, with `changes`."""
    usual = {"project": "/project", "writes": 10, "failed_writes": 0, "signings": 0, "failed_signings": 0}
    return SessionObserved(**{**usual, "ended": NOW - ago, **changes})


def record(observations: Observations, *verifications: VerificationObserved, sessions: Sequence[SessionObserved] = ()) -> None:  # fmt: skip
    """Add `verifications`, and `sessions` beside one without any event."""
    observations.add(ended(writes=0), verifications)
    for session in sessions:
        observations.add(session, ())
