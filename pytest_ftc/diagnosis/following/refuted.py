"""Places that seemed to follow from others, and differ in builds with a remedy that heals these."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.diagnosis.conclude import FOLLOWS_BY_BUILDS
from pytest_ftc.diagnosis.inherent.uncovered import Found
from pytest_ftc.diagnosis.trials.target import RemedyTarget
from pytest_ftc.diagnosis.try_remedies import RemedyTrials
from pytest_ftc.model import Cause, Finding


def without_refuted(found: Found, trials: RemedyTrials) -> Found:
    """Return what was `found`; what does not follow from what it seemed to follow from has no known cause."""
    return [(_doubt(finding, target, found, trials), target) for finding, target in found]


def _doubt(finding: Finding, target: RemedyTarget, found: Found, trials: RemedyTrials) -> Finding:
    if finding.confirmed or not finding.why.startswith(FOLLOWS_BY_BUILDS):
        return finding
    leading = {
        one.key for other, one in found if other.cause == finding.cause and one.known and one.key[0] == target.key[0]
    }
    refuted = any(
        leading and leading <= outcome.equal and target.key in outcome.differing for _, outcome in trials.built
    )
    if not refuted:
        return finding
    why = f"it differs though a remedy heals all whose cause is {finding.cause}"
    return replace(finding, cause=str(Cause.UNKNOWN), why=why, remedy=None)
