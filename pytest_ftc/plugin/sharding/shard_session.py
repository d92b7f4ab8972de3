"""Leaves to the other jobs of a matrix what is in their parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_ftc.plugin.items import ArtifactItem
from pytest_ftc.plugin.marker import is_rebuilt
from pytest_ftc.verification.sharding.shard import Shard
from pytest_ftc.verification.sharding.split import Part, split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _pytest.terminal import TerminalReporter

    from pytest_ftc.plugin.session_report import SessionReport


class ShardSession:
    """The part of a session.

    It is chosen among what is collected and selected, so that all jobs need the same options and nothing else.  Tests
    that declare no artifact run in the first one.
    """

    def __init__(self, shard: Shard, seconds: Mapping[str, float], report: SessionReport) -> None:
        self._shard = shard
        self._seconds = seconds
        self._report = report
        self._leaves = False
        """Whether other parts have all that was collected."""
        self._is_told = False
        """Whether the screen has the part already; with pytest-xdist it has not, since workers collect."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        ids = {one for one in map(_artifact_of, items) if one}
        part = Part.of(split(ids, self._seconds, self._shard.count), self._shard)
        own = {*part.artifacts, *([""] if self._shard.number == 1 else [])}
        others = [item for item in items if _artifact_of(item) not in own]
        items[:] = [item for item in items if _artifact_of(item) in own]
        self._leaves = bool(others) and not items
        self._report.part = part
        if others:
            config.hook.pytest_deselected(items=others)

    def pytest_report_collectionfinish(self) -> str:
        self._is_told = True
        return self._line

    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        part = self._report.part
        if part and not (part.artifacts or self._is_told):
            terminalreporter.write_line(self._line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        part = self._report.part
        leaves = self._leaves or (part is not None and part.total > 0 and not part.artifacts)
        if leaves and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK

    @property
    def _line(self) -> str:
        part = self._report.part
        return f"ftc: shard {part.describe()}" if part else ""


def _artifact_of(item: pytest.Item) -> str:
    """Return the ID of the artifact that `item` verifies, or its own if it declares some; empty if it does neither."""
    if isinstance(item, ArtifactItem):
        return item.artifact.id
    return item.nodeid if is_rebuilt(item) or "ftc" in getattr(item, "fixturenames", ()) else ""
