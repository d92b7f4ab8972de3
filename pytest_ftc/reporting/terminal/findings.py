"""Findings in the terminal: a line with output, location and cause, then both values and the remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.model import Cause, Difference, Evidence, Finding, Remedy, Verification
from pytest_ftc.reporting.baseline.state import Accepted, fold_new_first
from pytest_ftc.reporting.findings import (
    describe_remedy_state,
    show_chain,
    show_command,
    show_settings,
)
from pytest_ftc.reporting.terminal import layout
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
_MOST_ROWS = 40
"""Most lines for similar places, where all are shown."""
_LONGEST_PLACE = 80
"""Cells of a location in the first line of a finding."""
_LONGEST_NAME = 32
"""Cells of the name of another file or member."""
_LEAST_NAME = 24
"""Cells that a long name of an output keeps where its cause is long too."""


def finding_rows(
    page: Page, verification: Verification, most: int | None = None, *, known: Accepted = None
) -> Iterator[Text]:
    """Yield the findings, with similar ones grouped; those in one output stand together.

    Of the groups, the first `most` are shown; without a number, all in a verbose session, else the first few.  Those
    that the baseline accepts are one line.
    """
    from rich.text import Text

    folded = fold_new_first(verification, known)
    groups = [findings for findings, is_known in folded if not is_known]
    if most is None:
        most = len(groups) if page.verbosity > 0 else _MOST_FINDINGS
    panel = _Panel(page, verification, marks_new=known is not None)
    per_output = Counter(finding.output for findings in groups for finding in findings)
    for places in _by_output(groups[:most]):
        yield from panel.draw(places, per_output[places[0][0].output])
    if groups[most:]:
        yield row(page, "more", _count_rest(groups, most, built=bool(verification.builds)))
    if accepted := [finding for findings, is_known in folded if is_known for finding in findings]:
        causes = ", ".join(dict.fromkeys(markup.show(finding.cause) for finding in accepted))
        yield row(page, "known", f"{counted(len(accepted), 'finding')} that the baseline accepts: {causes}")
        yield Text()


def headline(findings: Sequence[Finding], mark: str = "") -> tuple[str, str]:
    """Return the output of similar `findings`, then their place and cause, which has the `mark` behind it."""
    first = findings[0]
    name = " › ".join(map(markup.show, filter(None, (first.output, first.member))))
    return name, ": ".join(filter(None, (_place(findings), _cause(first, mark))))


def _by_output(groups: Sequence[list[Finding]]) -> list[list[list[Finding]]]:
    """Return `groups` of similar findings by the output in which the first of each is."""
    outputs: dict[str, list[list[Finding]]] = {}
    for findings in groups:
        outputs.setdefault(findings[0].output, []).append(findings)
    return list(outputs.values())


def _count_rest(groups: Sequence[list[Finding]], most: int, *, built: bool) -> str:
    """Return how many findings follow the first `most` groups, and which causes only they have."""
    shown = {finding.cause for findings in groups[:most] for finding in findings}
    rest = [finding for findings in groups[most:] for finding in findings]
    further = dict.fromkeys(markup.show(finding.cause) for finding in rest if finding.cause not in shown)
    how = " (-v shows all)" if built else ""
    return f"and {counted(len(rest), 'more finding')}{how}" + (
        f"; further causes: {', '.join(further)}" if further else ""
    )


class _Panel:
    """Renders the findings of one artifact; each diff is named once."""

    def __init__(self, page: Page, verification: Verification, *, marks_new: bool) -> None:
        self._page = page
        self._mark = "new" if marks_new else ""
        self._differences = {(d.output, d.member, d.location): d for d in verification.differences}
        self._shown_diffs: set[str] = set()

    def draw(self, places: Sequence[Sequence[Finding]], count: int) -> Iterator[Text]:
        """Yield groups of findings in one output, which has `count` in all; several stand under its name."""
        from rich.text import Text

        if len(places) > 1:
            name = layout.cut_middle(markup.show(places[0][0].output), self._page.width - 20)
            yield Text(f"{name}: {counted(count, 'finding')}", style=markup.LABEL)
            yield Text()
        above: Sequence[Finding] = ()
        for findings in places:
            yield from self._finding(findings, above)
            yield from self._diff(findings)
            yield Text()
            above = findings

    def _finding(self, findings: Sequence[Finding], above: Sequence[Finding]) -> Iterator[Text]:
        page, first = self._page, findings[0]
        yield _headline_row(page, findings, self._mark)
        if similar := _similar(findings, page.verbosity):
            yield row(page, "where", similar, most_rows=_MOST_ROWS if page.verbosity > 1 else 2)
        if why := _why(first):
            yield row(page, "why", why, most_rows=3)
        difference = self._difference(first)
        evidence = _evidence(first, difference)
        if evidence:
            yield from evidence_rows(page, evidence)
        if difference and difference.numbers:
            yield row(page, "numbers", markup.show_lines(difference.numbers), most_rows=3)
        advice = list(_advice(page, findings))
        yield from [_as_above(page, first)] if advice and above and advice == list(_advice(page, above)) else advice
        if difference and difference.note:
            yield row(page, "note", markup.show_lines(difference.note), most_rows=3)

    def _difference(self, finding: Finding) -> Difference | None:
        return self._differences.get((finding.output, finding.member, finding.location))

    def _diff(self, findings: Sequence[Finding]) -> Iterator[Text]:
        difference = self._difference(findings[0])
        if difference and difference.diff and difference.diff not in self._shown_diffs:
            self._shown_diffs.add(difference.diff)
            yield row_to_copy(self._page, "full diff", markup.show(relative(difference.diff)))


def _headline_row(page: Page, findings: Sequence[Finding], mark: str) -> Text:
    from rich.cells import cell_len
    from rich.text import Text

    name, what = headline(findings, mark)
    name = layout.cut_middle(name, max(_LEAST_NAME, page.width - cell_len(f": {what}")))
    return Text("\n".join(layout.wrap(f"{name}: {what}", page.width)), style=markup.LABEL)


def _as_above(page: Page, finding: Finding) -> Text:
    """Return the row for a `finding` whose command and remedy are those of the previous one."""
    parts = {"command": finding.command, "remedy": finding.remedy}
    return row(page, "as above", " and ".join(name for name, part in parts.items() if part))


def _place(findings: Sequence[Finding]) -> str:
    """Return the location of the first of `findings`, and in how many places if all locations are called alike."""
    locations = {markup.show_lines(finding.location) for finding in findings}
    first = markup.show_lines(findings[0].location)
    count = _where_else(findings) if len(findings) > 1 and len(locations) == 1 else ""
    return ", ".join(filter(None, (layout.cut_middle(first, _LONGEST_PLACE), count)))


def _similar(findings: Sequence[Finding], verbosity: int) -> str:
    """Return where else `findings` are if their locations differ; all of these in a very verbose session."""
    locations = list(dict.fromkeys(markup.show_lines(finding.location) for finding in findings))
    if len(locations) == 1:
        return ""
    most = len(locations) if verbosity > 1 else _MOST_LOCATIONS
    others = ", ".join(locations[1:most]) + (", …" if len(locations) > most else "")
    return f"and {len(findings) - 1} similar: {others}{_spread(findings)}"


def _spread(findings: Sequence[Finding]) -> str:
    """Return in which other files or members there are `findings`, or in how many; empty if there are none."""
    where = _where_else(findings)
    return "" if where.endswith("places") else f" ({where})"


def _where_else(findings: Sequence[Finding]) -> str:
    outputs = dict.fromkeys(finding.output for finding in findings)
    # What has no member is in the file around them, as the header of a compressed archive.
    members = dict.fromkeys((finding.output, finding.member) for finding in findings if finding.member)
    names = list(outputs) if len(outputs) > 1 else [member for _, member in members]
    if names[1:] and not names[2:] and names[0] in (findings[0].output, findings[0].member):
        return f"also in {layout.cut_middle(markup.show(names[1]), _LONGEST_NAME)}"
    if len(outputs) > 1:
        return f"in {len(outputs)} files"
    return f"in {len(members)} members" if len(members) > 1 else f"in {len(findings)} places"


def _cause(finding: Finding, mark: str) -> str:
    known = finding.cause != Cause.UNKNOWN
    certainty = "confirmed" if finding.confirmed else "suspected"
    behind = ", ".join(filter(None, (certainty if known else "", mark)))
    return markup.show(finding.cause) + (f" ({behind})" if behind else "")


def _why(finding: Finding) -> str:
    """Return the evidence for the cause, with the number of builds that it rests on."""
    builds = f"{finding.builds} builds" if finding.confirmed and finding.builds else ""
    why = markup.show_lines(finding.why)
    return f"{why} ({builds})" if why and builds else why or builds


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


def _advice(page: Page, findings: Sequence[Finding]) -> Iterator[Text]:
    """Yield the command and the remedy of the first of similar `findings`, and how many others have another command."""
    finding = findings[0]
    if finding.command:
        line = f"  ({markup.show(finding.command_line)})" if finding.command_line else ""
        yield row(page, "command", f"{markup.show(show_command(finding.command))}{line}", most_rows=2)
    others = dict.fromkeys(one.command for one in findings if one.command not in ((), finding.command))
    if page.verbosity > 1:
        yield from (row(page, "", markup.show(show_command(command)), most_rows=1) for command in others)
    elif others:
        yield row(page, "", f"and {counted(len(others), 'more command')} like it (-vv shows all)")
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
    if unsaid := _unsaid(remedy, page.verbosity):
        yield command_row(page, "", markup.show(unsaid))
    if remedy.also_tried:
        tried = markup.show_lines("; ".join(remedy.also_tried))
        yield row(page, "also tried", f"{tried} (did not heal it)", most_rows=3)
    for each in remedy.rejected:
        yield row(page, "rejected", markup.show_lines(each), most_rows=3)


def _unsaid(remedy: Remedy, verbosity: int) -> str:
    """Return the settings of `remedy` that its summary does not name, or in a verbose session that it does not give."""
    said = {name: f"{name}={value}" if verbosity > 0 else name for name, value in remedy.settings.items()}
    return show_settings({name: remedy.settings[name] for name, word in said.items() if word not in remedy.summary})
