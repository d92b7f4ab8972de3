"""What the re-executions of an action gave."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.comparison.manifests import compare_manifests
from pytest_ftc.diagnosis.from_values import guess, look_into
from pytest_ftc.integrations.audit.findings import PlaceFound
from pytest_ftc.model import BuildResult, Difference, Finding, Metadata, Output, Verification
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.limits import MOST_EXAMINED
from pytest_ftc.model.support.printable import shorten

LARGEST_SHOWN = 64 << 20
"""Bytes of an output that is fetched to show where it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRun:
    """An execution of the action as it is, without our launcher."""

    exit_code: int
    outputs: tuple[Output, ...] | None
    """None if they are unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Executions:
    """The re-executions of one action."""

    verification: Verification
    differences: tuple[Difference, ...] = ()
    """What the cached result and the control's outputs differ in."""
    places: tuple[PlaceFound, ...] = ()
    """Where in those outputs."""
    plain: tuple[PlainRun, ...] = ()
    notes: tuple[str, ...] = ()


def compare_with_cached(cached: Sequence[Output], built: Sequence[Output]) -> tuple[Difference, ...]:
    """Return in what the outputs that were `built` differ from the `cached` ones.

    What links in the outputs lead to is compared by builds, but no part of a cached result.
    """
    own = {output.path for output in cached}
    tops = {path for path in own if not any(parent in own for parent in _parents(path))}
    relevant = [output for output in built if output.path in own or any(one in tops for one in _parents(output.path))]
    return compare_manifests(cached, relevant, Metadata.CONTENT)


def places_in_cached(differences: Sequence[Difference], cached: Path, control: BuildResult) -> list[PlaceFound]:
    """Return where the `differences` are: `cached` is a folder with the cached contents by sha256.

    Those whose contents are not at hand are named as a whole.  Raises FtcError, OSError.
    """
    found: list[PlaceFound] = []
    for number, difference in enumerate(differences):
        files = _files_of(difference, cached, control.blobs) if number < MOST_EXAMINED else None
        leaves, _ = look_into(difference, difference.output, files)
        why = "control is the cached output, experiment the one of the control's execution"
        found += [describe_place(guess(difference.output, leaf), why) for leaf in leaves]
    return found


def places_of(verification: Verification) -> tuple[PlaceFound, ...]:
    """Return where the executions of a verification differ, and why."""
    found = [describe_place(finding, finding.why) for finding in verification.findings]
    named = {finding.output for finding in verification.findings}
    found += [
        PlaceFound(
            output=difference.output,
            place=" ".join(filter(None, (difference.member, difference.location))),
            cause="unknown",
            confirmed=False,
            control=difference.evidence.control if difference.evidence else "",
            experiment=difference.evidence.experiment if difference.evidence else "",
        )
        for difference in verification.differences
        if difference.output not in named
    ]
    return tuple(found)


def describe_place(finding: Finding, why: str) -> PlaceFound:
    """Return a finding of the diagnosis, shortened."""
    evidence = finding.evidence
    return PlaceFound(
        output=finding.output,
        place=" ".join(filter(None, (finding.member, finding.location))),
        cause=finding.cause,
        confirmed=finding.confirmed,
        control=shorten(evidence.control),
        experiment=shorten(evidence.experiment),
        why=why,
    )


def _files_of(difference: Difference, cached: Path, built: str) -> tuple[Path, Path] | None:
    if not difference.contents:
        return None
    one, other = difference.contents
    if not (cached / one.sha256).is_file() or max(one.size, other.size) > LARGEST_SHOWN:
        return None
    return cached / one.sha256, find_content(built, other.sha256)


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
