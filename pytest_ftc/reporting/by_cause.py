"""The findings of many artifacts by their causes: which cause is in how many artifacts, and what helps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pytest_ftc.model import Finding, Remedy, Verification
from pytest_ftc.reporting.findings import findings_of


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSummary:
    """One cause, and where it was found."""

    cause: str
    artifacts: tuple[Verification, ...]
    findings: tuple[Finding, ...]

    @property
    def confirmed(self) -> int:
        """How many of the findings are confirmed."""
        return sum(finding.confirmed for finding in self.findings)

    @property
    def remedies(self) -> Sequence[Remedy]:
        """The remedies that differ in their summaries, proved ones first."""
        found = sorted((finding.remedy for finding in self.findings if finding.remedy), key=lambda one: one.proved)
        different = {remedy.summary: remedy for remedy in found}
        return sorted(different.values(), key=lambda one: not one.proved)


def group_by_cause(verifications: Iterable[Verification]) -> list[CauseSummary]:
    """Return the causes of all findings, those of the most artifacts first."""
    places: dict[str, dict[str, Verification]] = {}
    findings: dict[str, list[Finding]] = {}
    for one in verifications:
        for finding in findings_of(one):
            places.setdefault(finding.cause, {})[one.id] = one
            findings.setdefault(finding.cause, []).append(finding)
    causes = [
        CauseSummary(cause=cause, artifacts=tuple(places[cause].values()), findings=tuple(findings[cause]))
        for cause in findings
    ]
    return sorted(causes, key=lambda one: (-len(one.artifacts), -len(one.findings)))
