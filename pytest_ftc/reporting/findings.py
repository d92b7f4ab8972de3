"""From differences to findings, for artifacts that nobody has diagnosed yet."""

from __future__ import annotations

from pytest_ftc.model import Difference, Evidence, Finding, Verification

UNKNOWN = "unknown"


def findings_of(verification: Verification) -> tuple[Finding, ...]:
    """Return the findings, and for each difference that none of them covers one of unknown cause."""
    covered = {(finding.output, finding.member, finding.location) for finding in verification.findings}
    rest = (
        _undiagnosed(difference)
        for difference in verification.differences
        if (difference.output, difference.member, difference.location) not in covered
    )
    return (*verification.findings, *rest)


def _undiagnosed(difference: Difference) -> Finding:
    return Finding(
        output=difference.output,
        member=difference.member,
        location=difference.location,
        cause=UNKNOWN,
        confirmed=False,
        evidence=difference.evidence or Evidence(control="", experiment=""),
    )
