"""Conflicts with the cache: builds agree with each other, but not with the record for the same action."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_ftc.comparison.plugin_comparators import ComparatorChain
from pytest_ftc.diagnosis.examiner import Examiner
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    Cause,
    Difference,
    Evidence,
    Finding,
    Output,
    Remedy,
    Verdict,
    Verification,
)
from pytest_ftc.model.notes import explain_disagreement
from pytest_ftc.model.place import OUTPUT_ITSELF
from pytest_ftc.model.support.contents import find_content
from pytest_ftc.model.support.limits import MOST_EXAMINED, NOT_EXAMINED
from pytest_ftc.verification.cache.context import Disagreement
from pytest_ftc.verification.full_diffs import FullDiffs, place

_NOT_STORED = "not examined: the store no longer has what was recorded, only its digest"


class Examination:
    """Looks into the outputs that differ from those of a record: where they differ, and the full diffs."""

    def __init__(self, comparators: ComparatorChain, artifact: Artifact) -> None:
        self.examiner = Examiner(artifact.metadata, comparators)
        self._full = FullDiffs(comparators, artifact.timeout)

    def look(self, difference: Difference, recorded: Path, built: Path) -> list[Difference]:
        """Return `difference` at each of its places."""
        leaves = self.examiner.examine(difference, recorded, built)
        return place(self._full.add(difference, recorded, built), leaves)


def dispute(
    verification: Verification,
    disagreement: Disagreement,
    fetch: Callable[[Output, Path], bool],
    examination: Examination,
    folder: Path,
) -> Verification:
    """Return `verification` as unreproducible, with a finding for every output that differs from the record.

    `fetch` writes the recorded content of an output to a file in `folder`, and returns whether it is available.
    """
    control = verification.builds[0]
    differences: list[Difference] = []
    for number, difference in enumerate(disagreement.differences):
        if number < MOST_EXAMINED:
            differences += _examine(difference, control, fetch, examination, folder)
        else:
            differences.append(replace(difference, note=NOT_EXAMINED if difference.contents else ""))
    return replace(
        verification,
        verdict=Verdict.UNREPRODUCIBLE,
        reason="",
        differences=tuple(differences),
        findings=tuple(_findings(differences, disagreement)),
        notes=tuple(dict.fromkeys((*verification.notes, *examination.examiner.notes))),
    )


def _examine(
    difference: Difference,
    control: BuildResult,
    fetch: Callable[[Output, Path], bool],
    examination: Examination,
    folder: Path,
) -> list[Difference]:
    """Return `difference` at its places, if the recorded content is still in the store."""
    if not difference.contents:
        return [difference]
    one, other = difference.contents
    recorded = folder / secrets.token_hex(8)
    try:
        if not fetch(one, recorded):
            return [replace(difference, note=_NOT_STORED)]
        return examination.look(difference, recorded, find_content(control.blobs, other.sha256))
    finally:
        recorded.unlink(missing_ok=True)


def _findings(differences: list[Difference], disagreement: Disagreement) -> Iterator[Finding]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(disagreement.made))
    where = disagreement.machine if disagreement.elsewhere else "this machine"
    for difference in differences:
        yield Finding(
            output=difference.output,
            member=difference.member,
            location=difference.location or OUTPUT_ITSELF,
            cause=Cause.MACHINE.value,
            confirmed=False,
            evidence=_evidence(difference),
            why=explain_disagreement(when, where),
            remedy=Remedy(
                summary="compare the installed software and the configuration of the two machines; "
                "ftc history lists every build"
            ),
        )


def _evidence(difference: Difference) -> Evidence:
    """Return the values, or the digests where there are none to show."""
    shown = difference.evidence
    if shown and (shown.control or shown.experiment):
        return shown
    return Evidence(control=_digest(difference.control), experiment=_digest(difference.experiment))


def _digest(output: Output | None) -> str:
    return (output.sha256 or output.target or output.type.value) if output else "not there"
