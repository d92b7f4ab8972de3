"""Many failed artifacts by what they have in common: their causes, and the remedies for these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_ftc.model import Finding, Verdict, Verification
from pytest_ftc.reporting.baseline.state import Accepted, is_accepted
from pytest_ftc.reporting.by_cause import CauseSummary, group_by_cause
from pytest_ftc.reporting.findings import describe_remedy_state, findings_of, may_be_determinized
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.store import counted
from pytest_ftc.reporting.terminal.style import Page

if TYPE_CHECKING:
    from rich.text import Text

_MOST_ROWS = 10
"""Most causes to list."""
_WIDEST = 20
"""Cells of the name of a cause."""

Failed = tuple[Verification, Accepted]
"""A verification that did not pass, and the findings that the baseline accepts."""


def table_by_cause(
    failed: Sequence[Failed], *, in_full: str, width: int, colour: bool, then: str = "ftc determinize"
) -> str:
    """Return a line for each cause: in how many artifacts it is, and what helps; those of the most come first.

    Artifacts whose outputs were not compared are counted by their verdict.  The last lines name the command `then`, if
    remedies can be tried, and say that the command `in_full`, if there is one, shows one failure with all its details.
    """
    page = Page(max(markup.NARROWEST, width), colour)
    compared = [found for one, known in failed if (found := _with_new_findings(one, known))]
    ids = {one.id for one in compared}
    rows = [(one.cause, _describe_cause(one)) for one in group_by_cause(compared)]
    verdicts: dict[str, list[Verification]] = {}
    for one, _ in failed:
        if one.id not in ids:
            verdicts.setdefault(one.verdict.value, []).append(one)
    rows += [(verdict, _describe_verdict(entries)) for verdict, entries in verdicts.items()]
    lines = list(_lines(page, rows))
    if any(may_be_determinized(one) for one in compared):
        lines.append(layout.command_row(page, "next", markup.show(then)))
    if in_full:
        lines.append(layout.command_row(page, "in full", f"{markup.show(in_full)}  (or all: -v)"))
    return layout.render_lines(page, lines)


def _with_new_findings(verification: Verification, known: Accepted) -> Verification | None:
    """Return `verification` with the findings that the baseline does not accept; None if it has none."""
    if verification.verdict is not Verdict.UNREPRODUCIBLE:
        return None
    found = [one for one in findings_of(verification) if not is_accepted(verification, one, known)]
    return replace(verification, findings=tuple(found), differences=()) if found else None


def _lines(page: Page, rows: Sequence[tuple[str, str]]) -> Iterator[Text]:
    from rich.cells import cell_len, set_cell_size
    from rich.text import Text

    names = [layout.cut_end(markup.show(name), _WIDEST) for name, _ in rows]
    widest = max(map(cell_len, names), default=0)
    for name, (_, text) in zip(names[:_MOST_ROWS], rows, strict=False):
        begin = f"  {set_cell_size(name, widest)}  "
        first, *more = layout.wrap(text, page.width - cell_len(begin))
        yield Text.assemble((begin, markup.LABEL), first)
        if more:
            yield Text(" " * cell_len(begin) + layout.cut_end(" ".join(more), page.width - cell_len(begin)))
    if rest := names[_MOST_ROWS:]:
        yield Text(layout.cut_end(f"  and {counted(len(rest), 'more cause')}: {', '.join(rest)}", page.width))


def _describe_cause(found: CauseSummary) -> str:
    """Return the number of artifacts, and the remedy of most findings."""
    count = counted(len(found.artifacts), "artifact")
    remedies = Counter(map(_remedy, found.findings))
    without = remedies.pop("", 0)
    if not remedies:
        return f"{count}, no remedy known"
    ((first, _),) = remedies.most_common(1)
    if len(remedies) > 1:
        return f"{count}, {len(remedies)} remedies, such as: {first}"
    return f"{count}, one remedy{' for some' if without else ''}: {first}"


def _remedy(finding: Finding) -> str:
    """Return the remedy of `finding` in one line, the same for outputs of different names; empty without one."""
    if not finding.remedy:
        return ""
    summary = markup.show_lines(finding.remedy.summary.replace(finding.output, "OUTPUT"))
    return f"{summary} ({markup.show_lines(describe_remedy_state(finding.remedy))})"


def _describe_verdict(verifications: Sequence[Verification]) -> str:
    reasons = {verification.reason for verification in verifications}
    names = ", ".join(markup.show(verification.name) for verification in verifications)
    why = markup.show_lines(reasons.pop().split("\n")[0]) if len(reasons) == 1 else names
    return f"{counted(len(verifications), 'artifact')}: {why or names}"
