"""Whether builds whose outputs differ are equal within the tolerance that their artifact declares."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TypeAlias

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.tolerance.measured import Measured
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.comparison.tolerance.within import measure_within
from pytest_ftc.model import Artifact, BuildResult, Difference
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.printable import shorten

_LIMITS = Limits(seconds=120.0)
"""For all outputs of an artifact together."""
_Found: TypeAlias = tuple[Difference, Measured, float]
"""An output that differs, how far it is apart, and its tolerance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """What differs between builds that are equal within a tolerance."""

    differences: tuple[Difference, ...]
    reason: str
    """How far the outputs are apart, in one sentence."""


def find_equivalence(artifact: Artifact, builds: Sequence[BuildResult]) -> Equivalence:
    """Return how far apart the outputs of `builds`, which differ, are.

    Every build is compared with the control.  Raises RefusedError with the reason if any is not equal within the
    tolerance of `artifact`.
    """
    budget = Budget(_LIMITS)
    found: dict[str, _Found] = {}
    for build in builds[1:]:
        for difference in compare_manifests(builds[0].outputs, build.outputs, artifact.metadata):
            tolerance, measured = _measure(artifact, difference, (builds[0], build), budget)
            known = found.get(difference.output)
            if known is None or measured.extent.largest > known[1].extent.largest:
                found[difference.output] = difference, measured, tolerance
    differences = (replace(one, location=told.place, numbers=told.describe()) for one, told, _ in found.values())
    return Equivalence(differences=tuple(differences), reason=_describe(found.values()))


def _measure(
    artifact: Artifact, difference: Difference, builds: tuple[BuildResult, BuildResult], budget: Budget
) -> tuple[float, Measured]:
    """Return the tolerance of an output that differs, and how far apart it is.  Raises RefusedError."""
    shown = shorten(difference.output)
    tolerance = find_tolerance(artifact, difference.output)
    if tolerance is None:
        raise RefusedError(f"{shown} differs, and has no tolerance")
    if difference.contents is None:
        raise RefusedError(f"{shown} differs in more than its numbers: {difference.kind.value}")
    try:
        files = [
            find_content(build.blobs, output.sha256) for build, output in zip(builds, difference.contents, strict=True)
        ]
        return tolerance, measure_within(files[0], files[1], difference.output, tolerance, budget)
    except RefusedError as error:
        raise RefusedError(f"{shown} is not equal within {tolerance:g}: {error}") from error
    except (FtcError, OSError) as error:
        raise RefusedError(f"{shown} cannot be read: {shorten(str(error))}") from error


def find_tolerance(artifact: Artifact, path: str) -> float | None:
    """Return the tolerance of an output, that of the first glob that matches its path or its end; None without one."""
    return next((most for glob, most in artifact.tolerance.items() if PurePosixPath(path).match(glob)), None)


def _describe(found: Collection[_Found]) -> str:
    """Return the sentence of an artifact; it names the output with the largest difference."""
    tolerances = " and ".join(f"{most:g}" for most in sorted({tolerance for _, _, tolerance in found}))
    difference, largest, _ = max(found, key=lambda each: each[1].extent.largest)
    where = f"{largest.describe_largest()} of {shorten(difference.output)}"
    return f"equal within {tolerances}, not bitwise; {where}"
