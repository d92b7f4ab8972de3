"""Where the time of a session went: a bar for each kind of phase."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_ftc.model import Verification
from pytest_ftc.model.timing.totals import GROUPS, sum_phases
from pytest_ftc.model.timing.work import Work
from pytest_ftc.reporting.terminal.layout import head, room
from pytest_ftc.reporting.terminal.style import QUIET, Page

if TYPE_CHECKING:
    from rich.text import Text

_ALWAYS = ("setup", "gap", "build", "compare", "diagnose", "store")
_NOTICED = 0.05
"""Seconds from which the others are shown."""
_LONGEST = 40
"""Columns of a bar."""


def phase_bars(page: Page, verifications: Sequence[Verification]) -> Iterator[Text]:
    """Yield a line for each kind of phase: its bar, and the seconds of all artifacts; nothing without phases."""
    from rich.text import Text

    seconds = dict.fromkeys(GROUPS, 0.0)
    for one in verifications:
        for name, more in sum_phases(one.phases).items():
            seconds[name] += more
    shown = [name for name in GROUPS if name in _ALWAYS or seconds[name] >= _NOTICED]
    longest = max(seconds.values())
    if longest == 0.0:
        return
    names, numbers = max(map(len, shown)), [f"{seconds[name]:.1f} s" for name in shown]
    widest = max(map(len, numbers))
    columns = max(1, min(_LONGEST, room(page) - names - widest - 4))
    for index, (name, number) in enumerate(zip(shown, numbers, strict=True)):
        bar = "█" * round(columns * seconds[name] / longest)
        yield Text.assemble(
            head("time" if index == 0 else ""), f"{name:<{names}}  {number:>{widest}}", (f"  {bar}".rstrip(), QUIET)
        )


def describe_work(work: Work) -> str:
    """Return how many builds ran, and what the cache saved."""
    return f"{work.run} run, {work.reused} reused, {work.retried} retried; the cache saved {_time(work.saved_seconds)}"


def _time(seconds: float) -> str:
    """Return `seconds` of building as text, in the largest unit of which there is one."""
    if seconds < 100:
        return f"{seconds:.0f} s" if seconds >= 10 or seconds == 0 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"
