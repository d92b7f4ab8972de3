"""The command of what follows from other places, where nobody was seen to bring it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.diagnosis.try_remedies import RemedyTarget
from pytest_ftc.model import Finding


def name_leading_commands(
    found: Sequence[tuple[Finding, RemedyTarget]], cases: Mapping[Key, Case]
) -> list[tuple[Finding, RemedyTarget]]:
    """Return what was `found`; findings that follow from others with the command of these.

    Only where all others of the same output and cause have one and the same.
    """
    leading: dict[tuple[str, str], dict[tuple[str, ...], Finding]] = {}
    for finding, target in found:
        if cases[target.key].place.note != FOLLOWS:
            leading.setdefault((finding.output, finding.cause), {})[finding.command] = finding
    return [
        (_with_command(finding, list(leading.get((finding.output, finding.cause), {}).values())), target)
        if cases[target.key].place.note == FOLLOWS and not (finding.command or finding.chain)
        else (finding, target)
        for finding, target in found
    ]


def _with_command(finding: Finding, leaders: Sequence[Finding]) -> Finding:
    if len(leaders) != 1:
        return finding
    one = leaders[0]
    return replace(
        finding,
        command=one.command,
        chain=one.chain,
        circumstances=one.circumstances,
        given=one.given,
        command_line=one.command_line,
    )
