"""One build in the control environment, held against what was verified."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.model import Artifact, BuildResult, BuildStatus, Verdict, Verification
from pytest_ftc.verification.session import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseBuild:
    """A build of an artifact, and what is known of its outputs."""

    artifact: Artifact
    build: BuildResult
    problem: str = ""
    """Why its outputs must not be used; empty if they may be."""
    verdict: Verdict | None = None
    """That of the verification of the same sources, tools and settings; None if there is none."""


def build_release(verifier: Verifier, artifact: Artifact) -> ReleaseBuild:
    """Build `artifact` once as it is verified: with its settings and requirements, in the control environment.

    A verdict of an earlier session counts only where its control build left these same outputs.  Raises FtcError.
    """
    known = verifier.known(artifact)
    build, leaks = verifier.build_and_search(artifact)
    problem = _why_not(artifact, build, leaks, known)
    return ReleaseBuild(artifact=artifact, build=build, problem=problem, verdict=known.verdict if known else None)


def _why_not(artifact: Artifact, build: BuildResult, leaks: tuple[str, ...], known: Verification | None) -> str:
    if build.status is not BuildStatus.OK:
        return f"the build {build.status.value}: {build.reason}"
    if leaks:
        return leaks[0]
    if known is None or known.verdict is not Verdict.REPRODUCIBLE:
        return ""
    differences = compare_manifests(known.builds[0].outputs, build.outputs, artifact.metadata)
    if not differences:
        return ""
    more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
    return (
        f"{differences[0].output}{more} is not what was verified as reproducible; "
        "verify it again: pytest --ftc-verify --ftc-no-cache"
    )
