"""The verdict that finished builds allow: did all run, and are their outputs the same?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    BuildStatus,
    Difference,
    DifferenceKind,
    Verdict,
)
from pytest_ftc.model.protocols import Comparator
from pytest_ftc.model.support.limits import MOST_FULL_DIFFS


def judge_builds(builds: Sequence[BuildResult], *, expected: int, varied: Sequence[str]) -> tuple[Verdict, str]:
    """Return the verdict that the builds' ends allow, before any comparison, and why.

    REPRODUCIBLE here means no more than: every build ran and something was varied, so the outputs may be compared.
    """
    control = builds[0]
    bad = next((build for build in builds if build.status is not BuildStatus.OK), None)
    if any(build.status is BuildStatus.LOST for build in builds):
        lost = next(build for build in builds if build.status is BuildStatus.LOST)
        return Verdict.ERROR, f"the {lost.role.value} build was lost: {lost.reason}"
    if bad is control:
        return Verdict.FAILED, f"the control build failed: {control.reason}"
    if bad is not None:
        return Verdict.FRAGILE, f"it builds in the control environment, but not in a varied one: {bad.reason}"
    if len(builds) < expected or expected < 2:
        return Verdict.ERROR, f"{len(builds)} of {expected} builds ran"
    if not varied:
        return Verdict.ERROR, "none of the variations asked for could be applied, so nothing was verified"
    return Verdict.REPRODUCIBLE, ""


def compare_builds(artifact: Artifact, builds: Sequence[BuildResult], comparator: Comparator) -> tuple[Difference, ...]:
    """Compare every experiment with the control; the first that differs is examined."""
    for experiment in builds[1:]:
        control = builds[0]
        differences = compare_manifests(control.outputs, experiment.outputs, artifact.metadata)
        if differences:
            end = time.monotonic() + artifact.timeout
            return tuple(_examine_first(differences, control, experiment, comparator, end))
    return ()


def _examine_first(
    differences: Sequence[Difference], control: BuildResult, experiment: BuildResult, comparator: Comparator, end: float
) -> Iterator[Difference]:
    """Yield the differences, the first few looked into: the rest of many outputs mostly differ for the same reason.

    None is looked into after the moment `end`.
    """
    examined = 0
    for difference in differences:
        if difference.kind is not DifferenceKind.CONTENT or not (difference.control and difference.experiment):
            yield difference
        elif time.monotonic() > end:
            yield replace(difference, note="not examined: the others took as long as a build may")
        elif examined < MOST_FULL_DIFFS:
            examined += 1
            one = Path(control.blobs, difference.control.sha256)
            other = Path(experiment.blobs, difference.experiment.sha256)
            yield from comparator.examine(difference, one, other)
        else:
            yield replace(difference, note=f"not examined: only the first {MOST_FULL_DIFFS} differing outputs are")
