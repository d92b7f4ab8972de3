"""Which findings are new, for reports that show these first."""

from __future__ import annotations

from pytest_ftc.model import Finding, Verification
from pytest_ftc.reporting.baseline.fingerprint import fingerprint
from pytest_ftc.reporting.findings import findings_of, fold

Accepted = frozenset[str] | None
"""Fingerprints of the findings that the baseline accepts; None without a baseline."""


def is_accepted(verification: Verification, finding: Finding, accepted: Accepted) -> bool:
    """Return whether the baseline accepts `finding`."""
    return bool(accepted) and fingerprint(verification.id, finding) in (accepted or ())


def new_first(verification: Verification, accepted: Accepted) -> list[Finding]:
    """Return the findings of `verification`, those that are `accepted` last."""
    return sorted(findings_of(verification), key=lambda finding: is_accepted(verification, finding, accepted))


def fold_new_first(verification: Verification, accepted: Accepted) -> list[tuple[list[Finding], bool]]:
    """Return groups of similar findings, each with whether it is `accepted`; those come last."""
    findings = new_first(verification, accepted)
    known = [is_accepted(verification, finding, accepted) for finding in findings]
    parts = ([one for one, is_known in zip(findings, known, strict=True) if is_known is side] for side in (False, True))
    return [(group, side) for side, part in zip((False, True), parts, strict=True) for group in fold(part)]
