"""Why an artifact did not pass, in one line, as for pytest's short summary."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_ftc.model import Finding, Verdict, Verification
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.baseline.state import Accepted, fold_new_first, is_accepted
from pytest_ftc.reporting.findings import findings_of
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal.findings import headline
from pytest_ftc.reporting.terminal.style import NARROWEST, Page, show, show_lines, symbol_of
from pytest_ftc.reporting.terminal.summary import describe_verdict

_MOST_CAUSES = 3
_LONGEST = 300
"""Characters."""
_LEAST_NAME = 24
"""Cells that a long name of an output keeps."""


def why_not_passed(verification: Verification, known: Accepted = None) -> str:
    """Return the causes and their output, such as ``time, umask in dist/x.whl``, or why there are none.

    Findings that the baseline accepts do not count, unless there is no other.
    """
    findings = findings_of(verification)
    new = [finding for finding in findings if not is_accepted(verification, finding, known)]
    if verification.verdict is Verdict.UNREPRODUCIBLE and findings:
        why = _causes_and_outputs(new or findings)
    else:
        first = (verification.reason or next(iter(verification.hermeticity), "")).split("\n")[0]
        word = "" if verification.verdict is Verdict.FAILED and first else describe_verdict(verification)
        why = ": ".join(filter(None, (word, show_lines(first))))
    if verification.leaks and verification.verdict is Verdict.UNREPRODUCIBLE:
        why = f"leaks a secret; {why}"
    return shorten(why, _LONGEST)


def _causes_and_outputs(findings: Sequence[Finding]) -> str:
    causes = list(dict.fromkeys(show(finding.cause) for finding in findings))
    outputs = list(dict.fromkeys(show(finding.output) for finding in findings))
    more = f" and {len(outputs) - 1} more" if len(outputs) > 1 else ""
    return f"{', '.join(causes[:_MOST_CAUSES])}{', …' * (len(causes) > _MOST_CAUSES)} in {outputs[0]}{more}"


def brief_panel(verification: Verification, *, width: int, colour: bool, known: Accepted = None) -> str:
    """Return the first finding and the causes of others in one line, or why there is none."""
    from rich.text import Text

    page = Page(max(NARROWEST, width), colour)
    symbol, style = symbol_of(verification)
    new = [findings for findings, is_known in fold_new_first(verification, known) if not is_known]
    found = new if verification.verdict is Verdict.UNREPRODUCIBLE else []
    text = _first_and_causes(found, page.width - 2) if found else why_not_passed(verification, known)
    return layout.render_lines(page, [Text.assemble((symbol, style), " ", layout.cut_end(text, page.width - 2))])


def _first_and_causes(groups: Sequence[Sequence[Finding]], width: int) -> str:
    from rich.cells import cell_len

    name, what = headline(groups[0])
    others = dict.fromkeys(show(group[0].cause) for group in groups if group[0].cause != groups[0][0].cause)
    rest = f": {what}" + (f"; also {', '.join(others)}" if others else "")
    return layout.cut_middle(name, max(_LEAST_NAME, width - cell_len(rest))) + rest
