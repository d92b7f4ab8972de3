"""The part of a verification that is stored in an entry."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Verdict, Verification
from pytest_ftc.model.notes import is_not_kept_note
from pytest_ftc.model.support.serialization import from_json
from pytest_ftc.store.action_cache import Entry

KEPT = (Verdict.REPRODUCIBLE, Verdict.UNREPRODUCIBLE)
"""The verdicts that are cached; with all others, the artifact is built again."""


def essence(verification: Verification) -> Verification:
    """Return `verification` without parts that exist only during its session: logs, traces, folders, times,
    and what was kept of its outputs.
    """
    builds = tuple(replace(build, log="", log_tail="", blobs="", trace=None) for build in verification.builds)
    differences = tuple(replace(difference, diff="") for difference in verification.differences)
    notes = tuple(note for note in verification.notes if not is_not_kept_note(note))
    lasting = replace(verification, builds=builds, differences=differences, notes=notes)
    return replace(lasting, agreement=None, kept=None, phases=(), trace_id="")


def read_verification(entry: Entry) -> Verification | None:
    """Return the verification in `entry`; None if an earlier version has written it in another form."""
    try:
        known = from_json(Verification, entry.verification)
    except (KeyError, TypeError, ValueError):
        return None
    return known if known.verdict in KEPT and len(known.builds) > 1 else None
