"""Where many artifacts fail, their causes come first, and most failures are told in one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.plugin.failures.representation import WIDEST, VerificationRepr, rerun_of

if TYPE_CHECKING:
    import pytest
    from _pytest.terminal import TerminalReporter

_FEW = 5
"""So many failures are shown in full, one after the other."""
_MOST_LINES = 36
"""Lines for the causes, and for failures in full; other failures are told in one line."""


def print_overview(terminalreporter: TerminalReporter, reports: Sequence[pytest.TestReport]) -> None:
    """Print the causes of the failed artifacts among `reports` if there are many; then most are shown in brief.

    A verbose session shows all in full.
    """
    failures = {one: one.longrepr for one in reports if isinstance(one.longrepr, VerificationRepr)}
    if len(failures) <= _FEW or terminalreporter.config.option.tbstyle == "no":
        return
    lines = _print_causes(terminalreporter, list(failures.values()))
    if terminalreporter.verbosity > 0:
        return
    for failure in _not_in_full(list(failures.values()), _MOST_LINES - lines, _width(terminalreporter)):
        failure.brief = True
    for report, failure in failures.items():
        if failure.brief:
            # Pytest would print another line above it, about the worker of pytest-xdist that ran the test.
            report.__dict__.pop("node", None)


def _print_causes(terminalreporter: TerminalReporter, failures: Sequence[VerificationRepr]) -> int:
    """Print the table of causes, and return the number of its lines."""
    from pytest_ftc.reporting.terminal.overview.by_cause import table_by_cause
    from pytest_ftc.reporting.terminal.style import fit_encoding

    writer, width = terminalreporter._tw, _width(terminalreporter)
    rerun = rerun_of(failures[0].nodeid, terminalreporter.config.rootpath)
    terminalreporter.write_sep("=", f"ftc: {len(failures)} failures by cause")
    text = table_by_cause(
        [(one.verification, one.known) for one in failures],
        then=rerun.there("ftc determinize"),
        in_full=rerun.command if terminalreporter.verbosity <= 0 else "",
        width=width,
        colour=writer.hasmarkup,
    )
    terminalreporter.write(fit_encoding(text, getattr(writer._file, "encoding", None)))
    return text.count("\n")


def _width(terminalreporter: TerminalReporter) -> int:
    return min(terminalreporter._tw.fullwidth, WIDEST)


def _not_in_full(failures: Sequence[VerificationRepr], room: int, width: int) -> Iterator[VerificationRepr]:
    """Yield the `failures` for which there are not enough lines, or whose causes are in one that is shown in full."""
    shown: set[str] = set()
    for failure in failures:
        lines = failure.draw(width=width, colour=False).count("\n")
        if lines <= room and not failure.causes <= shown:
            room -= lines
            shown |= failure.causes
        else:
            yield failure
