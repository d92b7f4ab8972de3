"""Remedies that are proved for one cause of a place, and heal all of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_ftc.diagnosis.trials.bench import Built
from pytest_ftc.diagnosis.trials.target import RemedyTarget
from pytest_ftc.model import Remedy


def with_shared(best: Mapping[RemedyTarget, Remedy | None], built: Sequence[Built]) -> dict[RemedyTarget, Remedy]:
    """Return the `best` remedies; for what nothing was tried for, that of another cause with which the place was equal.

    A setting for the time that leaves out its zone too is proved for both.
    """
    proved = {target: remedy for target, remedy in best.items() if remedy and remedy.proved}
    found = {}
    for target, remedy in best.items():
        untried = remedy is None or not (remedy.tried or remedy.proved)
        others = (one for other, one in proved.items() if untried and other.key == target.key)
        if chosen := next((one for one in others if _heals(one, target, built)), remedy):
            found[target] = chosen
    return found


def _heals(remedy: Remedy, target: RemedyTarget, built: Sequence[Built]) -> bool:
    """Return whether nothing of the place differed in builds that had this remedy alone."""
    alone = (outcome for remedies, outcome in built if {one.summary for one in remedies} == {remedy.summary})
    return any(target.key in outcome.equal for outcome in alone)
