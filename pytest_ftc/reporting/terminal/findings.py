"""Findings in the terminal: output, location, cause, both values and remedy."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_ftc.model import Cause, Difference, Evidence, Finding, Verification
from pytest_ftc.reporting.baseline.state import Accepted, fold_new_first
from pytest_ftc.reporting.findings import (
    describe_remedy_state,
    show_certainty,
    show_chain,
    show_command,
)
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.evidence import evidence_rows
from pytest_ftc.reporting.terminal.layout import command_row, row, row_to_copy
from pytest_ftc.reporting.terminal.paths import relative
from pytest_ftc.reporting.terminal.store import counted
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_MOST_FINDINGS = 3
_MOST_LOCATIONS = 4


def finding_rows(
    page: Page, verification: Verification, most: int = _MOST_FINDINGS, *, known: Accepted = None
) -> Iterator[Text]:
    """Yield the findings, with similar ones grouped; each output is named once for all places in it.

    Those that the baseline accepts are one line.
    """
    from rich.text import Text

    folded = fold_new_first(verification, known)
    groups = [findings for findings, is_known in folded if not is_known]
    panel = _Panel(page, verification, marks_new=known is not None)
    for _, places in groupby(groups[:most], key=lambda findings: (findings[0].output, findings[0].member)):
        yield from panel.draw(list(places))
    if rest := [finding for findings in groups[most:] for finding in findings]:
        where = " in report.json (--ftc-report=DIR)" if verification.builds else ""
        shown = {finding.cause for findings in groups[:most] for finding in findings}
        further = dict.fromkeys(finding.cause for finding in rest if finding.cause not in shown)
        causes = f"; further causes: {', '.join(further)}" if further else ""
        yield row(page, "more", f"and {len(rest)} more{where}{causes}")
    if accepted := [finding for findings, is_known in folded if is_known for finding in findings]:
        causes = ", ".join(dict.fromkeys(markup.show(finding.cause) for finding in accepted))
        yield row(page, "known", f"{counted(len(accepted), 'finding')} that the baseline accepts: {causes}")
        yield Text()


class _Panel:
    """Renders the findings of one artifact; each diff is named once."""

    def __init__(self, page: Page, verification: Verification, *, marks_new: bool) -> None:
        self._page = page
        self._mark = "  (new)" if marks_new else ""
        self._differences = {(d.output, d.member, d.location): d for d in verification.differences}
        self._shown_diffs: set[str] = set()

    def draw(self, places: Sequence[Sequence[Finding]]) -> Iterator[Text]:
        """Yield the findings in one output; rows equal to those of the previous finding are not repeated."""
        from rich.text import Text

        output, member = places[0][0].output, places[0][0].member
        name = " › ".join(map(markup.show, filter(None, (output, member))))
        yield row(self._page, "output", f"{name}{self._mark}", style=markup.LABEL)
        above: Sequence[Finding] = ()
        for findings in places:
            yield from self._finding(findings, above)
            above = findings
        yield from self._diffs(places)
        yield Text()

    def _finding(self, findings: Sequence[Finding], above: Sequence[Finding]) -> Iterator[Text]:
        page, first = self._page, findings[0]
        place, cause, advice = _place(findings), _cause(first), list(_advice(page, first))
        if place != (_place(above) if above else ()):
            yield from (row(page, "" if at else "where", line, most_rows=2) for at, line in enumerate(place))
        if not above or cause != _cause(above[0]):
            yield row(page, "cause", cause, most_rows=3)
        difference = self._difference(first)
        evidence = _evidence(first, difference)
        if evidence:
            yield from evidence_rows(page, evidence)
        if not above or advice != list(_advice(page, above[0])):
            yield from advice
        if difference and difference.note:
            yield row(page, "note", markup.show_lines(difference.note), most_rows=3)

    def _difference(self, finding: Finding) -> Difference | None:
        return self._differences.get((finding.output, finding.member, finding.location))

    def _diffs(self, places: Sequence[Sequence[Finding]]) -> Iterator[Text]:
        for findings in places:
            difference = self._difference(findings[0])
            if difference and difference.diff and difference.diff not in self._shown_diffs:
                self._shown_diffs.add(difference.diff)
                yield row_to_copy(self._page, "full diff", markup.show(relative(difference.diff)))


def _place(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Return the location of the first of `findings`, and those of similar ones."""
    locations = list(dict.fromkeys(markup.show_lines(finding.location) for finding in findings))
    first = locations[0]
    if len(findings) == 1:
        return (first,) if first else ()
    if len(locations) == 1:
        return (f"{first}, in {_count_places(findings)}" if first else _count_places(findings),)
    others = ", ".join(locations[1:_MOST_LOCATIONS]) + (", …" if len(locations) > _MOST_LOCATIONS else "")
    return first, f"and {len(findings) - 1} similar: {others}{_spread(findings)}"


def _spread(findings: Sequence[Finding]) -> str:
    """Return the number of files or members with `findings` if it is more than one, else an empty string."""
    count = _count_places(findings)
    return "" if count.endswith("places") else f" (in {count})"


def _count_places(findings: Sequence[Finding]) -> str:
    outputs = len({finding.output for finding in findings})
    members = len({(finding.output, finding.member) for finding in findings})
    if outputs > 1:
        return f"{outputs} files"
    return f"{members} members" if members > 1 else f"{len(findings)} places"


def _cause(finding: Finding) -> str:
    if finding.cause == Cause.UNKNOWN:
        return f"unknown: {markup.show_lines(finding.why)}" if finding.why else "unknown"
    name = f"{markup.show(finding.cause)} ({show_certainty(finding)})"
    return f"{name}: {markup.show_lines(finding.why)}" if finding.why else name


def _evidence(finding: Finding, difference: Difference | None) -> Evidence | None:
    """Return the evidence; for contents that were not examined, their sizes and digests."""
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
        line = f"  ({markup.show(finding.command_line)})" if finding.command_line else ""
        yield row(page, "command", f"{markup.show(show_command(finding.command))}{line}", most_rows=2)
    if finding.chain:
        yield row(page, "by way of", markup.show(show_chain(finding.chain)), most_rows=3)
    if finding.given:
        yield row(page, "given to", markup.show(show_command(finding.given)), most_rows=2)
    remedy = finding.remedy
    if not remedy:
        return
    yield row(
        page,
        "remedy",
        f"{markup.show_lines(remedy.summary)} ({markup.show_lines(describe_remedy_state(remedy))})",
        most_rows=6,
    )
    unsaid = {name: value for name, value in remedy.settings.items() if name not in remedy.summary}
    if unsaid:
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in unsaid.items())
        yield command_row(page, "", markup.show(settings))
    if remedy.also_tried:
        tried = markup.show_lines("; ".join(remedy.also_tried))
        yield row(page, "also tried", f"{tried} (did not heal it)", most_rows=3)
    for each in remedy.rejected:
        yield row(page, "rejected", markup.show_lines(each), most_rows=3)
