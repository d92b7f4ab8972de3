"""The project's own tests: their failures neither stop the verification nor hide its findings."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.plugin.failures.overview import print_overview
from pytest_ftc.plugin.items import ArtifactItem

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def keep_artifacts(session: pytest.Session, items: list[pytest.Item]) -> None:
    """If collecting the project's tests failed, keep the artifacts among `items` and run them.

    Pytest would stop here.  The errors are still reported, and the session still fails.
    """
    option = session.config.option
    if not session.testsfailed or option.continue_on_collection_errors:
        return
    others = [item for item in items if not isinstance(item, ArtifactItem)]
    if len(others) == len(items):
        return
    option.continue_on_collection_errors = True
    items[:] = [item for item in items if isinstance(item, ArtifactItem)]
    if others:
        session.config.hook.pytest_deselected(items=others)


class FindingsLast:
    """Prints the artifacts after pytest's own sections if tests of the project fail too."""

    def __init__(self, print_summary: Callable[[TerminalReporter], None]) -> None:
        self._print_summary = print_summary
        self.come_last = False
        """Whether the summary is printed here instead of among pytest's own sections."""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> Generator[None, Any, Any]:
        failed = list(terminalreporter.stats.get("failed", ()))
        own = [report for report in failed if _is_of_artifact(report)]
        self.come_last = len(own) < len(failed) or bool(terminalreporter.stats.get("error"))
        if not self.come_last:
            print_overview(terminalreporter, own)
            return (yield)
        terminalreporter.stats["failed"] = [report for report in failed if report not in own]
        try:
            result = yield
        finally:
            terminalreporter.stats["failed"] = failed
        print_overview(terminalreporter, own)
        _print_reports(terminalreporter, own)
        self._print_summary(terminalreporter)
        for report in own:
            terminalreporter.write_line(_short_summary(terminalreporter, report), red=True)
        return result


def _short_summary(terminalreporter: TerminalReporter, report: pytest.TestReport) -> str:
    """Return the line of `report` as pytest writes it: with the message as far as there is room."""
    from pytest_ftc.reporting.terminal.layout import cut_end

    line = f"FAILED {report.nodeid}"
    crash = getattr(report.longrepr, "reprcrash", None)
    room = terminalreporter._tw.fullwidth - len(f"{line} - ")
    return f"{line} - {cut_end(crash.message, room)}" if crash and room > 0 else line


def _is_of_artifact(report: pytest.TestReport) -> bool:
    return any(name == "ftc_verdict" for name, _ in report.user_properties)


def _print_reports(terminalreporter: TerminalReporter, reports: Sequence[pytest.TestReport]) -> None:
    if reports and terminalreporter.config.option.tbstyle != "no":
        terminalreporter.section("ftc: findings")
        for report in reports:
            terminalreporter.write_sep("_", report.head_line or report.nodeid, red=True, bold=True)
            report.toterminal(terminalreporter.config.get_terminal_writer())
