"""The output of ``ftc history --trend``: an artifact's build time and verdict over time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from pytest_ftc.model import BuildRecord, Role, Verdict
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.layout import row
from pytest_ftc.reporting.terminal.objectives import show_seconds, sparkline
from pytest_ftc.reporting.terminal.store import counted
from pytest_ftc.reporting.terminal.style import BARS, Page

if TYPE_CHECKING:
    from rich.text import Text

_SHOWN = 25
"""Most sessions to show in a line each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """One session that built the artifact."""

    started: float
    """Seconds since 1970."""
    seconds: float | None
    """Wall time of the control build; None if there was none."""
    verdict: str
    machine: str
    builds: int


def find_trend(builds: Sequence[BuildRecord]) -> list[TrendPoint]:
    """Return the sessions of `builds`, which are in any order, oldest first."""
    ordered = sorted(builds, key=lambda one: (one.session, one.started))
    points = [_point(list(group)) for _, group in groupby(ordered, lambda one: one.session)]
    return sorted(points, key=lambda one: one.started)


def _point(builds: Sequence[BuildRecord]) -> TrendPoint:
    control = next((one for one in builds if one.role == Role.CONTROL.value), None)
    return TrendPoint(
        started=builds[0].started,
        seconds=control.seconds if control else None,
        verdict=builds[-1].verdict,
        machine=builds[0].machine,
        builds=len(builds),
    )


def render_trend(name: str, trend: Sequence[TrendPoint], *, width: int, colour: bool) -> str:
    """Render the sessions of the artifact `name`, oldest first, and what has changed."""
    page = Page(max(markup.NARROWEST, width), colour)
    lines = list(_lines(page, trend[-_SHOWN:]))
    if len(trend) > _SHOWN:
        lines.insert(0, row(page, "earlier", counted(len(trend) - _SHOWN, "session")))
    latest = trend[-layout.room(page) :]
    lines.append(row(page, markup.show(shorten(name, 12)), f"{sparkline([one.seconds for one in latest])}"))
    lines.append(row(page, "build time", _describe_times([one.seconds for one in trend if one.seconds is not None])))
    lines.append(row(page, "verdict", _describe_verdicts(trend)))
    return layout.render_lines(page, lines)


def _lines(page: Page, trend: Sequence[TrendPoint]) -> Iterator[Text]:
    from rich.text import Text

    longest = max((one.seconds or 0.0 for one in trend), default=0.0)
    for one in trend:
        symbol, style = markup.SYMBOLS[Verdict(one.verdict)]
        line = Text(f"{symbol} {one.verdict:<14}", style=style)
        taken = "" if one.seconds is None else show_seconds(one.seconds)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.started))
        room = max(page.width - 48, 4)
        bar = BARS[-1] * round((one.seconds or 0.0) / longest * room) if longest else ""
        line.append(f"  {when}  {taken:>10}  {bar}", style="")
        yield line


def _describe_times(seconds: Sequence[float]) -> str:
    """Return the last time, and how it compares with those before."""
    if not seconds:
        return "none recorded"
    *before, last = seconds
    if not before:
        return f"{show_seconds(last)} in one session"
    middle = statistics.median(before)
    change = f", {100 * (last - middle) / middle:+.0f} % of the median before" if middle > 0 else ""
    return f"last {show_seconds(last)}{change} ({show_seconds(middle)}; {counted(len(before), 'session')})"


def _describe_verdicts(trend: Sequence[TrendPoint]) -> str:
    """Return since when the verdict has been what it is."""
    last = trend[-1].verdict
    since = next((index for index in range(len(trend) - 1, -1, -1) if trend[index].verdict != last), -1) + 1
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(trend[since].started))
    before = f", before {trend[since - 1].verdict}" if since else ""
    return f"{last} since {when} ({counted(len(trend) - since, 'session')}){before}"
