"""What of a verification is kept in an entry."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.support.serialization import from_json
from pytest_ftc.store.action_cache import Entry

KEPT = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)
"""What is cached: verdicts of builds that ran.  Everything else is tried again."""


def essence(verification: Verification) -> Verification:
    """Return `verification` without what is gone when its session is: logs, traces, folders."""
    builds = tuple(replace(build, log="", log_tail="", blobs="", trace=None) for build in verification.builds)
    differences = tuple(replace(difference, diff="") for difference in verification.differences)
    return replace(verification, builds=builds, differences=differences, agreement=None)


def read_verification(entry: Entry) -> Verification | None:
    """Return the record in `entry`; None where an earlier version has written something else."""
    try:
        known = from_json(Verification, entry.verification)
    except (KeyError, TypeError, ValueError):
        return None
    return known if known.verdict in KEPT and len(known.builds) > 1 else None
