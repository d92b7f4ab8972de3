"""Findings for differences without a diagnosis, and groups of similar findings."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from pytest_ftc.model import Cause, Difference, Evidence, Finding, Remedy, Verdict, Verification
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.remedy import escape_quoted

_LONGEST_LINK = 60
"""Most characters of each command of a chain."""
_LONGEST_PROGRAM = 40
_CALLER_OF_HOOKS = "/pyproject_hooks/_in_process/_in_process.py"


def findings_of(verification: Verification) -> tuple[Finding, ...]:
    """Return the findings, plus one of unknown cause for each difference that none of them covers.

    What differs within a tolerance is none.
    """
    if verification.verdict is Verdict.EQUIVALENT:
        return ()
    covered = {(finding.output, finding.member, finding.location) for finding in verification.findings}
    rest = (
        _undiagnosed(difference)
        for difference in verification.differences
        if (difference.output, difference.member, difference.location) not in covered
    )
    return (*verification.findings, *rest)


def fold(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Group similar findings: one cause and one remedy in outputs of one format.

    Where the cause is unknown, the kind of place and the change of the values must match too; otherwise the group could
    hide a second cause.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_similarity(finding), []).append(finding)
    return list(groups.values())


def describe_remedy_state(remedy: Remedy) -> str:
    """Return whether builds have tested `remedy`, and whether it helped."""
    if remedy.proved:
        others = "; ".join(_group_alike(remedy.together_with))
        together = f"; these builds also had: {others}" if others else ""
        return f"proved by rebuilding{together}"
    if remedy.equal_pairs:
        return f"equal in {remedy.equal_pairs} of {remedy.equal_pairs} tests, too few to rule out luck"
    return "tested, not sufficient" if remedy.tried else "suggestion, not tested"


def _group_alike(summaries: Sequence[str]) -> Iterator[str]:
    """Yield summaries of remedies; those that differ only in the output at their end as one."""
    groups: dict[str, list[str]] = {}
    for summary in summaries:
        groups.setdefault(summary.rpartition(" ")[0], []).append(summary)
    for beginning, alike in groups.items():
        yield f"{beginning} … ({len(alike)} outputs)" if len(alike) > 1 else alike[0]


def show_command(argv: Sequence[str]) -> str:
    """Return `argv` as a person would type it; for a Python build backend, name its hook."""
    if len(argv) > 2 and argv[1].endswith(_CALLER_OF_HOOKS):
        return f"{argv[2]} of the build backend (PEP 517)"
    # The folders of a long path say less than its arguments.
    program = [posixpath.basename(one) if len(one) > _LONGEST_PROGRAM else one for one in argv[:1]]
    return shlex.join([*program, *argv[1:]])


def show_chain(chain: Sequence[Sequence[str]]) -> str:
    """Return the commands that a value passed, each shortened."""
    return " → ".join(_shorten(show_command(argv)) for argv in chain)


def _shorten(command: str) -> str:
    return command if len(command) <= _LONGEST_LINK else f"{command[:_LONGEST_LINK]}…"


def show_settings(settings: Mapping[str, str]) -> str:
    """Return variables as a shell sets them; ``$PWD`` in them stays the path of the build."""
    return " ".join(f"{name}={_quote(value)}" for name, value in settings.items())


def _quote(value: str) -> str:
    if "$PWD" not in value:
        return shlex.quote(value)
    return f'"{escape_quoted(value, "PWD")}"'


def show_certainty(finding: Finding) -> str:
    """Return whether the cause is confirmed, and by how many builds."""
    if not finding.confirmed:
        return "suspected"
    return f"confirmed, {finding.builds} builds" if finding.builds else "confirmed"


def _similarity(finding: Finding) -> tuple[object, ...]:
    suffix = posixpath.splitext(finding.output)[1]
    if finding.cause != Cause.UNKNOWN:
        remedy = (finding.remedy.summary, finding.remedy.proved) if finding.remedy else None
        return finding.cause, finding.confirmed, suffix, finding.command[:1], remedy
    place = re.sub(r"^(line|byte) .*", r"\1", finding.location, flags=re.DOTALL)
    return finding.cause, place, suffix, _shape_of_change(finding.evidence)


def _undiagnosed(difference: Difference) -> Finding:
    return Finding(
        output=difference.output,
        member=difference.member,
        location=difference.location,
        cause=Cause.UNKNOWN.value,
        confirmed=False,
        evidence=difference.evidence or Evidence(control="", experiment=""),
    )


def _shape_of_change(evidence: Evidence) -> str:
    """Return the pattern of both values from their first difference, with words and numbers blanked out."""
    common = len(posixpath.commonprefix([evidence.control, evidence.experiment]))
    return f"{_shape(evidence.control[common:])} {_shape(evidence.experiment[common:])}"


def _shape(text: str) -> str:
    return re.sub(r"\w+", "w", text[:200])


def may_be_determinized(verification: Verification) -> bool:
    """Return whether ``ftc determinize`` can try remedies of the findings, which takes a declared artifact."""
    remedies = [finding.remedy for finding in verification.findings if finding.remedy]
    may_help = any(one.proved or one.settings or one.before or one.after for one in remedies)
    return may_help and is_declared(verification.id)
