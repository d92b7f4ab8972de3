"""Earlier sessions of an artifact: a bar each, as high as its build took long, in the colour of its verdict."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from pytest_ftc.model import Verdict
from pytest_ftc.reporting.html.elements import count, line
from pytest_ftc.reporting.terminal.objectives import show_seconds
from pytest_ftc.reporting.terminal.trend import TrendPoint

_MOST_BARS = 60
_KNOWN = {verdict.value for verdict in Verdict}


def trend(points: Sequence[TrendPoint]) -> Iterator[Markup]:
    """Yield the sessions that built an artifact, oldest first; nothing unless there were two."""
    if len(points) < 2:
        return
    shown = points[-_MOST_BARS:]
    longest = max((point.seconds or 0.0 for point in shown), default=0.0)
    bars = Markup().join(_bar(point, longest) for point in shown)
    described = _describe(points)
    yield Markup('<div class="trend"><span class="bars" role="img" aria-label="{0}">{1}</span> {0}</div>').format(
        described, bars
    )


def _bar(point: TrendPoint, longest: float) -> Markup:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(point.started))
    took = show_seconds(point.seconds) if point.seconds is not None else "no build"
    height = 100 * (point.seconds or 0.0) / longest if longest else 100
    style = point.verdict if point.verdict in _KNOWN else "none"
    title = line(f"{when}: {point.verdict}, {took}, {point.machine}", 120)
    return Markup('<i class="{}" title="{}" style="height:{:.0f}%"></i>').format(style, title, max(height, 8))


def _describe(points: Sequence[TrendPoint]) -> str:
    good = sum(point.verdict == Verdict.REPRODUCIBLE.value for point in points)
    seconds = [point.seconds for point in points if point.seconds is not None]
    took = f"; a build takes {show_seconds(statistics.median(seconds))} (median)" if seconds else ""
    return f"{count(len(points), 'session')} built it, {good:,} of them reproducible{_since(points)}{took}"


def _since(points: Sequence[TrendPoint]) -> str:
    """Return since when the verdict is what it is, if it was another one before."""
    last = points[-1].verdict
    changed = next((place for place in range(len(points), 0, -1) if points[place - 1].verdict != last), 0)
    if not changed:
        return ""
    return f"; {last} since {time.strftime('%Y-%m-%d %H:%M', time.localtime(points[changed].started))}"
