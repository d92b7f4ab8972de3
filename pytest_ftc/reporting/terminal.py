"""What a person reads in the terminal: quiet when green, complete when red."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pytest_ftc.model import BuildResult, BuildStatus, Difference, Finding, Role, Verdict, Verification
from pytest_ftc.printable import printable
from pytest_ftc.reporting import markup
from pytest_ftc.reporting.findings import UNKNOWN, findings_of

if TYPE_CHECKING:
    from rich.text import Text

_MOST_FINDINGS = 3
_LOG_LINES = 15
_LOG_ROWS = 20
_LABEL_WIDTH = 11


def failure_panel(verification: Verification, *, width: int, colour: bool, rerun: str) -> str:
    """Return what to show of a verdict that is not good; `rerun` is the command that verifies it again."""
    return markup.render(_panel_lines(verification, width, rerun), width, colour=colour)


def summary_lines(verifications: Sequence[Verification], *, width: int, colour: bool, verbose: bool) -> str:
    """Return one line per artifact, then what was not varied and why, then the count of each verdict."""
    names = max(len(printable(verification.name)) for verification in verifications)
    verdicts = max(len(verification.verdict.value) for verification in verifications)
    lines = [_summary_line(verification, names, verdicts, width) for verification in verifications]
    if verbose:
        lines += [_labelled("note", f"{entry.name}: {note}", width) for entry in verifications for note in entry.notes]
    lines += list(_coverage_lines(verifications, width))
    return markup.render(lines, width, colour=colour)


def _summary_line(verification: Verification, names: int, verdicts: int, width: int) -> Text:
    from rich.text import Text

    symbol, style = markup.SYMBOLS[verification.verdict]
    asked = len(verification.varied) + len(verification.not_varied)
    parts = [f"{len(verification.builds)} builds"] if verification.builds else []
    parts += [f"{len(verification.varied)} of {asked} variations"] if verification.varied else []
    parts += [f"{verification.seconds:.1f} s"]
    line = Text.assemble(
        (f"{symbol} {verification.verdict.value:<{verdicts}}", style),
        f"  {printable(verification.name):<{names}}  ",
        (", ".join(parts), markup.QUIET),
    )
    line.truncate(width, overflow="ellipsis")
    return line


def _coverage_lines(verifications: Sequence[Verification], width: int) -> Iterator[Text]:
    """Say each reason once, with the variations and the artifacts it holds for."""
    reasons: dict[str, dict[str, dict[str, str]]] = {}
    for verification in verifications:
        for entry in verification.not_varied:
            reasons.setdefault(entry.reason, {}).setdefault(entry.variation, {})[verification.id] = verification.name
    for reason, variations in reasons.items():
        everywhere = all(len(names) == len(verifications) for names in variations.values())
        whose = (
            ""
            if everywhere
            else f" ({', '.join(sorted({n for names in variations.values() for n in names.values()}))})"
        )
        yield _labelled("not varied", f"{', '.join(variations)}{whose}: {reason}", width)


def _panel_lines(verification: Verification, width: int, rerun: str) -> Iterator[Text]:
    from rich.text import Text

    symbol, style = markup.SYMBOLS[verification.verdict]
    title = f"{symbol} {verification.verdict.value}  {printable(verification.name)}{_count_outputs(verification)}"
    first, *rest = _wrap(title, width)
    yield Text.assemble(
        (first[: len(verification.verdict.value) + 2], style), first[len(verification.verdict.value) + 2 :]
    )
    yield from map(Text, rest)
    if verification.reason:
        yield _labelled("why", verification.reason, width)
    yield Text()
    if verification.verdict is Verdict.UNREPRODUCIBLE:
        yield from _finding_lines(verification, width)
    else:
        yield from _log_lines(verification, width)
        if verification.differences:
            yield _labelled("besides", "its outputs differ even without what breaks it", width)
            yield from _finding_lines(verification, width)
    yield from _environment_lines(verification, width)
    yield _labelled("again", rerun, width, fold=False)


def _count_outputs(verification: Verification) -> str:
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return ""
    differing = len({difference.output for difference in verification.differences})
    outputs = len({output.path for build in verification.builds for output in build.outputs})
    return f": {differing} of {outputs} outputs differ" if outputs > 1 else ": its output differs"


def _finding_lines(verification: Verification, width: int) -> Iterator[Text]:
    from rich.text import Text

    differences = {(d.output, d.member, d.location): d for d in verification.differences}
    groups = _fold(findings_of(verification))
    named = ""
    for findings in groups[:_MOST_FINDINGS]:
        first = findings[0]
        difference = differences.get((first.output, first.member, first.location))
        heading = _name_output(findings)
        if heading != named:
            yield _labelled("output", heading, width, style=markup.LABEL)
        named = heading
        yield from _one_finding(first, difference, width)
    yield Text()
    if len(groups) > _MOST_FINDINGS:
        rest = sum(len(findings) for findings in groups[_MOST_FINDINGS:])
        yield _labelled("more", f"{rest} more places differ; all are in the report (--ftc-report=DIR)", width)
    diffs = list(dict.fromkeys(d.diff for d in verification.differences if d.diff))
    if diffs:
        more = f"  and {len(diffs) - 1} more beside it" if len(diffs) > 1 else ""
        yield _labelled("full diff", _relative(diffs[0]) + more, width, fold=False)


def _fold(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Group findings that tell the same: one cause at one kind of place in outputs of one format."""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        word = finding.location.split(" ")[0] if finding.location.startswith(("line ", "byte ")) else finding.location
        groups.setdefault((finding.cause, word, _suffix(finding.output)), []).append(finding)
    return list(groups.values())


def _suffix(output: str) -> str:
    return os.path.splitext(output)[1]  # noqa: PTH122


def _name_output(findings: Sequence[Finding]) -> str:
    first = findings[0]
    where = " › ".join(filter(None, (first.output, first.member))).replace("\n", "\\n")
    return where + (f"  (and {len(findings) - 1} more like it)" if len(findings) > 1 else "")


def _one_finding(first: Finding, difference: Difference | None, width: int) -> Iterator[Text]:
    if first.location:
        yield _labelled("where", first.location, width)
    if first.cause != UNKNOWN:
        yield _labelled("cause", f"{first.cause} ({'confirmed' if first.confirmed else 'suspected'})", width)
    if first.evidence.control or first.evidence.experiment:
        yield from _evidence_lines(first.evidence.control, first.evidence.experiment, width)
    if first.command:
        yield _labelled("command", " ".join(first.command), width)
    if first.remedy:
        state = "proved by rebuilding" if first.remedy.proved else "not proved"
        yield _labelled("remedy", f"{first.remedy.summary} ({state})", width)
    if difference and difference.note:
        yield _labelled("note", difference.note, width)


def _evidence_lines(control: str, experiment: str, width: int) -> Iterator[Text]:
    """Yield the two values under each other, cut to where they differ, with the differing part emphasised."""
    from rich.text import Text

    room = max(20, width - _LABEL_WIDTH - 3)
    one, other = printable(control), printable(experiment)
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    skip = max(0, start - room // 3) if max(len(one), len(other)) > room else 0
    one, other = ("…" * bool(skip) + text[skip:] for text in (one, other))
    matcher = SequenceMatcher(None, one[:400], other[:400], autojunk=False)
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    before = [(start, end) for _, start, end, _, _ in changes]
    after = [(start, end) for _, _, _, start, end in changes]
    for label, text, style, spans in (
        ("control", one, markup.CONTROL, before),
        ("experiment", other, markup.EXPERIMENT, after),
    ):
        line = Text(text or "(nothing)")
        for start, end in spans:
            line.stylize(f"bold {style}", start, end)
        line.truncate(room, overflow="ellipsis")
        yield Text.assemble((f"  {label:<{_LABEL_WIDTH}}", markup.QUIET), line)


def _log_lines(verification: Verification, width: int) -> Iterator[Text]:
    from rich.text import Text

    build = _telling_build(verification)
    if build is None:
        return
    if build.log_tail.strip():
        yield _labelled("log", f"the last lines of the {build.role.value} build", width)
        rows = [row for line in build.log_tail.splitlines()[-_LOG_LINES:] for row in _wrap(printable(line), width - 4)]
        for row in rows[-_LOG_ROWS:]:
            yield Text("  │ " + row)
    if build.log:
        yield _labelled("full log", _relative(build.log), width, fold=False)


def _telling_build(verification: Verification) -> BuildResult | None:
    return next((build for build in verification.builds if build.status is not BuildStatus.OK), None)


def _environment_lines(verification: Verification, width: int) -> Iterator[Text]:
    if verification.varied:
        yield _labelled("varied", ", ".join(verification.varied), width)
    for reason, variations in _by_reason(verification).items():
        yield _labelled("not varied", f"{', '.join(variations)}: {reason}", width)
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    if control and control.log and verification.verdict is Verdict.UNREPRODUCIBLE:
        yield _labelled("logs", os.path.dirname(_relative(control.log)) + os.sep, width, fold=False)  # noqa: PTH120


def _by_reason(verification: Verification) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for entry in verification.not_varied:
        reasons.setdefault(entry.reason, []).append(entry.variation)
    return reasons


def _labelled(label: str, text: str, width: int, *, style: str = "", fold: bool = True) -> Text:
    """Return ``label  text``, wrapped below itself; text that is to be copied is kept on one line and not cut."""
    from rich.text import Text

    shown = printable(text).replace("\n", " · ")
    head = Text(f"  {label:<{_LABEL_WIDTH}}", style=markup.QUIET)
    if not fold:
        return Text.assemble(head, (shown, style), no_wrap=True, overflow="ignore")
    indent = "\n" + " " * (_LABEL_WIDTH + 2)
    return Text.assemble(head, (indent.join(_wrap(shown, width - _LABEL_WIDTH - 2)), style))


def _wrap(text: str, width: int) -> list[str]:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    room = max(20, width)
    lines = Text(text).wrap(Console(width=room, file=StringIO()), room, overflow="fold")
    return [line.plain.rstrip() for line in lines]


def _relative(path: str) -> str:
    relative = os.path.relpath(path)
    return relative if not relative.startswith("..") else path


def count_verdicts(verifications: Sequence[Verification]) -> dict[str, int]:
    """Return how many artifacts have each verdict."""
    return dict(Counter(verification.verdict.value for verification in verifications))
