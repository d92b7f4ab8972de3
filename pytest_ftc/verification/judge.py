"""Judging finished builds: did all succeed, and are their outputs equal?"""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    BuildStatus,
    Difference,
    Verdict,
)


def judge_builds(builds: Sequence[BuildResult], *, expected: int, varied: Sequence[str]) -> tuple[Verdict, str]:
    """Return the verdict that follows from the builds' status, before any comparison, and the reason.

    Here, REPRODUCIBLE means only that every build succeeded and something was varied, so the outputs can be compared.
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
        return Verdict.ERROR, "none of the requested variations could be applied, so nothing was verified"
    return Verdict.REPRODUCIBLE, ""


def compare_builds(artifact: Artifact, builds: Sequence[BuildResult]) -> tuple[Difference, ...]:
    """Return the outputs that differ between the control and the first differing experiment."""
    for experiment in builds[1:]:
        differences = compare_manifests(builds[0].outputs, experiment.outputs, artifact.metadata)
        if differences:
            return tuple(differences)
    return ()
