"""When builds agree with each other, and not with what was recorded for the same action: that is a difference too."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_ftc.model import (
    BuildResult,
    Cause,
    Difference,
    DifferenceKind,
    Evidence,
    Finding,
    Output,
    Remedy,
    Verdict,
    Verification,
)
from pytest_ftc.model.protocols import Comparator
from pytest_ftc.model.support.limits import MOST_FULL_DIFFS
from pytest_ftc.verification.cache.context import Disagreement


def dispute(
    verification: Verification,
    disagreement: Disagreement,
    fetch: Callable[[Output, Path], bool],
    comparator: Comparator,
    folder: Path,
) -> Verification:
    """Return `verification` as unreproducible, with a finding for every output that was recorded otherwise.

    `fetch` writes the content that was recorded for an output to a file, in `folder`, and returns whether it is there.
    """
    control = verification.builds[0]
    differences: list[Difference] = []
    for number, difference in enumerate(disagreement.differences):
        if number < MOST_FULL_DIFFS:
            differences += _examine(difference, control, fetch, comparator, folder)
        else:
            differences.append(difference)
    return replace(
        verification,
        verdict=Verdict.UNREPRODUCIBLE,
        reason="",
        differences=tuple(differences),
        findings=tuple(_findings(differences, disagreement)),
    )


def _examine(
    difference: Difference,
    control: BuildResult,
    fetch: Callable[[Output, Path], bool],
    comparator: Comparator,
    folder: Path,
) -> list[Difference]:
    """Return `difference` with its place, if the recorded content is still in the store."""
    if difference.kind is not DifferenceKind.CONTENT or not (difference.control and difference.experiment):
        return [difference]
    recorded = folder / secrets.token_hex(8)
    try:
        if not fetch(difference.control, recorded):
            return [difference]
        return [*comparator.examine(difference, recorded, Path(control.blobs, difference.experiment.sha256))]
    finally:
        recorded.unlink(missing_ok=True)


def _findings(differences: list[Difference], disagreement: Disagreement) -> Iterator[Finding]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(disagreement.made))
    where = disagreement.machine if disagreement.elsewhere else "this machine"
    for difference in differences:
        yield Finding(
            output=difference.output,
            member=difference.member,
            location=difference.location or "the output itself",
            cause=Cause.MACHINE.value,
            confirmed=False,
            evidence=difference.evidence
            or Evidence(control=_digest(difference.control), experiment=_digest(difference.experiment)),
            why=f"the builds of this session agree; those of {when} on {where} left other bytes from the same inputs",
            remedy=Remedy(
                summary="compare what is installed and configured on the two machines, apart from what is varied; "
                "ftc history lists every build"
            ),
        )


def _digest(output: Output | None) -> str:
    return (output.sha256 or output.target or output.type.value) if output else "not there"
