"""What a person reads in the terminal: quiet when green, complete when red."""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_ftc.model import (
    BuildResult,
    BuildStatus,
    Cause,
    Difference,
    Evidence,
    Finding,
    Role,
    Verdict,
    Verification,
)
from pytest_ftc.model.artifact import is_declared
from pytest_ftc.model.reference_note import is_reference_note
from pytest_ftc.reporting.findings import findings_of, fold, show_command
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.evidence import evidence_rows
from pytest_ftc.reporting.terminal.layout import command_row, row, row_of_items, row_to_copy
from pytest_ftc.reporting.terminal.replay import find_telling_build, replay_command
from pytest_ftc.reporting.terminal.style import Page
from pytest_ftc.reporting.terminal.summary import describe_verdict, each_once, summary_lines

if TYPE_CHECKING:
    from rich.text import Text

__all__ = ["diff_panel", "failure_panel", "summary_lines"]

_SCREEN = 24
"""Lines of the first screen."""
_MOST_FINDINGS = 3
_MOST_CONTRASTS = 30
_MOST_LOCATIONS = 4
_LOG_LINES = (8, 15)
"""Lines of the log that are shown: at least, and at most."""
_VALUE_WIDTH = 36
"""Cells for the value of one variation among others."""
_COLOURED = re.compile(r"\x1b\[[0-9;]*m")


def failure_panel(verification: Verification, *, width: int, colour: bool, rerun: str) -> str:
    """Return what to show of a verdict that is not good; `rerun` is the command that verifies it again.

    Nothing is wider than `width` cells but for a path that alone is: a path in pieces could not be copied.
    """
    page = Page(max(markup.NARROWEST, width), colour)
    again = [command_row(page, "again", markup.show(rerun))]
    if build := find_telling_build(verification):
        again.append(command_row(page, "replay", markup.show(replay_command(build))))
    return layout.render_lines(page, [*_title(page, verification), *_body(page, verification), *again])


def diff_panel(verification: Verification, title: str, *, width: int, colour: bool) -> str:
    """Return what differs between two things that were not built here, below a `title`."""
    from rich.text import Text

    page = Page(max(markup.NARROWEST, width), colour)
    head = Text("\n".join(layout.wrap(markup.show(title), page.width)), style=markup.LABEL)
    findings = list(_findings(page, verification, most=_MOST_CONTRASTS))
    return layout.render_lines(page, [head, Text(), *findings])


def _title(page: Page, verification: Verification) -> Iterator[Text]:
    from rich.text import Text

    symbol, style = markup.symbol_of(verification)
    verdict = f"{symbol} {describe_verdict(verification)}"
    name = layout.cut_middle(markup.show(verification.name), page.width)
    lines = layout.wrap(f"{verdict}  {name}{_count_outputs(verification)}", page.width)
    title = Text("\n".join(lines), style=markup.LABEL)
    title.stylize(style, 0, len(verdict))
    yield from (title, Text())


def _count_outputs(verification: Verification) -> str:
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return ""
    differing = len({difference.output for difference in verification.differences})
    outputs = len({output.path for build in verification.builds for output in build.outputs})
    return f": {differing} of {outputs} outputs differ" if outputs > 1 else ": its output differs"


def _body(page: Page, verification: Verification) -> Iterator[Text]:
    from rich.text import Text

    yield from (row(page, "leak", markup.show(text), most_rows=3) for text in verification.leaks)
    if verification.leaks:
        yield row(page, "next", "change the secret, and keep it out of what the build writes")
        yield Text()
    if verification.verdict is Verdict.UNREPRODUCIBLE:
        if verification.reason:
            yield row(page, "why", markup.show_lines(verification.reason))
            yield from (
                row(page, "", markup.show_lines(note)) for note in verification.notes if is_reference_note(note)
            )
            yield Text()
        yield from _findings(page, verification)
        yield from _next(page, verification)
        yield from _coverage(page, verification)
    elif verification.verdict is Verdict.REPRODUCIBLE:
        yield from (row(page, "uses", markup.show(text), most_rows=3) for text in verification.hermeticity)
        if verification.hermeticity:
            yield row(page, "next", "make it part of the source or an installed tool, or allow it: strict = false")
        yield from _coverage(page, verification)
    else:
        yield from _broken(page, verification)
        if verification.differences or verification.findings:
            yield Text()
            yield row(page, "besides", "its outputs differ even without what breaks it")
            yield from _findings(page, verification)


def _next(page: Page, verification: Verification) -> Iterator[Text]:
    """Yield which command puts what was proved together; it knows the artifacts of a configuration only."""
    proved = any(finding.remedy and finding.remedy.proved for finding in verification.findings)
    if proved and is_declared(verification.id):
        yield command_row(page, "next", f"ftc determinize {markup.show(shlex.quote(verification.name))}")


def _findings(page: Page, verification: Verification, most: int = _MOST_FINDINGS) -> Iterator[Text]:
    """Yield the findings, many alike as one; an output is named once for all the places in it."""
    differences = {(d.output, d.member, d.location): d for d in verification.differences}
    groups = fold(findings_of(verification))
    diffs: set[str] = set()
    for _, places in groupby(groups[:most], key=lambda findings: (findings[0].output, findings[0].member)):
        yield from _findings_in_one(page, list(places), differences, diffs)
    if rest := [finding for findings in groups[most:] for finding in findings]:
        where = " in report.json (--ftc-report=DIR)" if verification.builds else ""
        told = {finding.cause for findings in groups[:most] for finding in findings}
        further = dict.fromkeys(finding.cause for finding in rest if finding.cause not in told)
        causes = f"; further causes: {', '.join(further)}" if further else ""
        yield row(page, "more", f"and {len(rest)} more{where}{causes}")


def _findings_in_one(
    page: Page,
    places: Sequence[Sequence[Finding]],
    differences: Mapping[tuple[str, str, str], Difference],
    told_diffs: set[str],
) -> Iterator[Text]:
    """Yield the findings in one output; `told_diffs` are the diffs that others have named, and these add theirs."""
    from rich.text import Text

    output, member = places[0][0].output, places[0][0].member
    yield row(page, "output", " › ".join(map(markup.show, filter(None, (output, member)))), style=markup.LABEL)
    told, said = tuple[str, ...](), ""
    advised: list[Text] = []
    diffs = []
    for findings in places:
        first = findings[0]
        difference = differences.get((output, member, first.location))
        if told != (here := _place(findings)):
            for number, line in enumerate(here):
                yield row(page, "" if number else "where", line, most_rows=2)
        told = here
        if said != (cause := _cause(first)):
            yield row(page, "cause", cause, most_rows=3)
        said = cause
        evidence = _evidence(first, difference)
        if evidence:
            yield from evidence_rows(page, evidence)
        advice = list(_advice(page, first))
        if advice != advised:
            yield from advice
        advised = advice
        if difference and difference.note:
            yield row(page, "note", markup.show_lines(difference.note), most_rows=3)
        diffs += [difference.diff] if difference and difference.diff else []
    for diff in dict.fromkeys(diffs):
        if diff in told_diffs:
            continue
        told_diffs.add(diff)
        yield row_to_copy(page, "full diff", markup.show(_relative(diff)))
    yield Text()


def _place(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return where the first of `findings` is, and how many places are alike."""
    locations = list(dict.fromkeys(markup.show_lines(finding.location) for finding in findings))
    first = locations[0]
    if len(findings) == 1:
        return (first,) if first else ()
    if len(locations) == 1:
        return (f"{first}, in {_count_alike(findings)}" if first else _count_alike(findings),)
    others = ", ".join(locations[1:_MOST_LOCATIONS]) + (", …" if len(locations) > _MOST_LOCATIONS else "")
    return first, f"{_count_alike(findings)} alike, as at {others}"


def _count_alike(findings: Sequence[Finding]) -> str:
    outputs = len({finding.output for finding in findings})
    members = len({(finding.output, finding.member) for finding in findings})
    if outputs > 1:
        return f"{outputs} files"
    return f"{members} members" if members > 1 else f"{len(findings)} places"


def _cause(finding: Finding) -> str:
    if finding.cause == Cause.UNKNOWN:
        return f"not known yet: {markup.show_lines(finding.why)}" if finding.why else "not known yet"
    told = f"{markup.show(finding.cause)} ({'confirmed' if finding.confirmed else 'suspected'})"
    return f"{told}: {markup.show_lines(finding.why)}" if finding.why else told


def _evidence(finding: Finding, difference: Difference | None) -> Evidence | None:
    """Return the evidence, or for contents that nobody has looked into what the manifests know of them."""
    if finding.evidence.control or finding.evidence.experiment:
        return finding.evidence
    if difference and difference.control and difference.experiment:
        one, other = (
            f"{output.size} bytes, sha256 {output.sha256[:16]}"
            for output in (difference.control, difference.experiment)
        )
        return Evidence(control=one, experiment=other)
    return None


def _advice(page: Page, finding: Finding) -> Iterator[Text]:
    if finding.command:
        yield row(page, "command", markup.show(show_command(finding.command)), most_rows=2)
    if finding.given:
        yield row(page, "given to", markup.show(show_command(finding.given)), most_rows=2)
    if finding.remedy:
        tried = "tried by rebuilding, not enough" if finding.remedy.tried else "advice, not tried"
        state = "proved by rebuilding" if finding.remedy.proved else tried
        yield row(page, "remedy", f"{markup.show_lines(finding.remedy.summary)} ({state})", most_rows=6)
        unsaid = {name: value for name, value in finding.remedy.settings.items() if name not in finding.remedy.summary}
        if unsaid:
            settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in unsaid.items())
            yield command_row(page, "", markup.show(settings))
        if finding.remedy.also_tried:
            yield row(page, "in vain", markup.show_lines("; ".join(finding.remedy.also_tried)), most_rows=3)


def _coverage(page: Page, verification: Verification) -> Iterator[Text]:
    if verification.varied:
        yield row(page, "varied", markup.show(", ".join(verification.varied)))
    yield from _not_varied(page, verification)
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    if control and control.log:
        yield row_to_copy(page, "logs", markup.show(os.path.dirname(_relative(control.log)) + os.sep))  # noqa: PTH120


def _not_varied(page: Page, verification: Verification) -> Iterator[Text]:
    missed = [(gap.reason, gap.variation, verification) for gap in verification.not_varied]
    yield from each_once(page, "not varied", missed, [verification])


def _broken(page: Page, verification: Verification) -> Iterator[Text]:
    """Yield why there is nothing to compare; the log gets the room that the rest leaves on the screen."""
    build = next((build for build in verification.builds if build.status is not BuildStatus.OK), None)
    reason = _reason_lines(verification, build)
    why = [row(page, "" if number else "why", line, most_rows=3) for number, line in enumerate(reason)]
    rest = list(_circumstances(page, verification, build))
    yield from why
    if build:
        taken = sum(text.plain.count("\n") + 1 for text in (*why, *rest))
        yield from _log(page, build, _SCREEN - taken - 4)
    yield from rest


def _reason_lines(verification: Verification, build: BuildResult | None) -> list[str]:
    lines = [markup.show(line.rstrip()) for line in verification.reason.split("\n") if line.strip()]
    code = build.exit_code if build else None
    if code is not None and code > 0 and str(code) not in verification.reason:
        lines.append(f"exit status {code}")
    return lines[:5] + (["…"] if len(lines) > 6 else []) + lines[5:][-1:]


def _log(page: Page, build: BuildResult, most: int) -> Iterator[Text]:
    from rich.text import Text

    least, longest = _LOG_LINES
    rows = [line for part in _log_tail(build) for line in layout.wrap(markup.show(part), page.width - 4)]
    if rows:
        yield row(page, "log", f"the last lines of the {build.role.value} build")
        for line in rows[-min(longest, max(least, most)) :]:
            yield Text(f"  │ {line}".rstrip())


def _log_tail(build: BuildResult) -> list[str]:
    """Return the last lines, without the colours a tool gave them and with tabs as a terminal shows them."""
    lines = build.log_tail.rstrip().split("\n")[-_LOG_LINES[1] :] if build.log_tail.strip() else []
    return [_COLOURED.sub("", line).rstrip("\r").expandtabs() for line in lines]


def _circumstances(page: Page, verification: Verification, build: BuildResult | None) -> Iterator[Text]:
    if build and build.log:
        yield row_to_copy(page, "full log", markup.show(_relative(build.log)))
    if verification.verdict is Verdict.FRAGILE and build:
        yield row_of_items(page, "varied", _varied_values(verification, build))
    if verification.verdict is not Verdict.FAILED:
        yield from _not_varied(page, verification)
    yield row(page, "next", _hint(verification.verdict, build))


def _varied_values(verification: Verification, build: BuildResult) -> list[str]:
    """Return the names of what was varied, and until bisection has found what breaks `build` its values in it too."""
    if any(other.role is Role.BISECT for other in verification.builds):
        return [markup.show(name) for name in verification.varied]
    return [_varied_value(name, build.environment.get(name, "")) for name in verification.varied]


def _varied_value(name: str, value: str) -> str:
    return f"{markup.show(name)} {layout.cut_middle(markup.show(value), _VALUE_WIDTH)}".rstrip()


def _hint(verdict: Verdict, build: BuildResult | None) -> str:
    if build and build.status is BuildStatus.TIMEOUT:
        return "if the build needs longer, raise the artifact's timeout"
    if verdict is Verdict.FRAGILE:
        return "make the build bear what breaks it, or leave that out: --ftc-variations=all,-NAME"
    if verdict is Verdict.ERROR:
        return "this says nothing about the artifact: put it right and verify again"
    if build and build.exit_code == 0:
        return "check the artifact's outputs: globs relative to its source folder"
    if build and os.strerror(errno.EROFS) in build.log_tail:
        return "a build can write only below its source folder, its home and its folder for temporary files"
    if build and build.exit_code == 127:
        return "a command was not found: install it, or add its folder to PATH"
    return "a build sees its source folder without what git ignores, and of the environment only env and pass_env"


def _relative(path: str) -> str:
    try:
        relative = os.path.relpath(path)
    except OSError:  # the current folder is gone
        return path
    return path if relative.startswith("..") else relative
