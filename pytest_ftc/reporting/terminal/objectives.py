"""The output of ``ftc objectives``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_ftc.model.objectives.standing import Standing, Unit
from pytest_ftc.model.support.printable import printable
from pytest_ftc.reporting.terminal import layout
from pytest_ftc.reporting.terminal import style as markup
from pytest_ftc.reporting.terminal.style import BARS, Page

if TYPE_CHECKING:
    from rich.text import Text

_NO_DATA = "no data"
_NOTHING = "·"
_DAY = 86400
_MINUTE = 60


def render_objectives(standings: Sequence[Standing], *, width: int, colour: bool) -> str:
    """Render a table of objectives, a row each."""
    page = Page(max(markup.NARROWEST, width), colour)
    burns = list(standings[0].burn)
    rows = [["objective", "value", "target", "left", *(f"burn {burns[0]}", *burns[1:]), ""], *map(_cells, standings)]
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(rows[0]))]
    days = round(standings[0].window / _DAY)
    widths[-1] = max(min(days, page.width - sum(widths[:-1]) - 2 * len(widths) + 2), 0)
    rows[0][-1] = f"{widths[-1]} days" if widths[-1] > len("99 days") else "days"
    lines = [_line(cells, widths) for cells in rows]
    lines[0].stylize(markup.QUIET)
    for line, standing in zip(lines[1:], standings, strict=True):
        line.stylize(_mark(standing)[1], 0, 1)
    notes = dict.fromkeys(f"  {one.objective.name}: {one.note}" for one in standings if one.note)
    return layout.render_lines(page, [*lines, *map(_text, notes)])


def describe_spent(standings: Sequence[Standing]) -> str:
    """Return in a line which budgets are spent, or that none is."""
    spent = [one.objective.name for one in standings if one.spent]
    measured = sum(one.budget_left is not None for one in standings)
    if not measured:
        return "no data: nothing is recorded of this project in the window"
    return f"budget spent: {', '.join(spent)}" if spent else f"no budget of {measured} is spent"


def _cells(standing: Standing) -> list[str]:
    unit, sign = standing.objective.unit, "≥" if standing.objective.at_least else "≤"
    left = standing.budget_left
    return [
        f"{_mark(standing)[0]} {standing.objective.name}",
        _NO_DATA if standing.value is None else _show(standing.value, unit, standing.unit),
        "none" if standing.target is None else f"{sign} {_show(standing.target, unit, standing.unit)}",
        "" if left is None else "spent" if standing.spent else f"{100 * left:.0f} %",
        *map(_show_burn, standing.burn.values()),
        sparkline(standing.daily),
    ]


def _mark(standing: Standing) -> tuple[str, str]:
    if standing.budget_left is None:
        return " ", ""
    return ("✘", "bold red") if standing.spent else ("✔", "green")


def _line(cells: Sequence[str], widths: Sequence[int]) -> Text:
    heading = cells[0] == "objective"
    first = f"  {cells[0]}" if heading else cells[0]
    middle = [f"{cell:>{width}}" for cell, width in zip(cells[1:-1], widths[1:-1], strict=True)]
    last = cells[-1] if heading else cells[-1][len(cells[-1]) - widths[-1] :]
    return _text("  ".join([f"{first:<{widths[0]}}", *middle, last]).rstrip())


def _text(line: str) -> Text:
    from rich.text import Text

    return Text(printable(line))


def _show(value: float, unit: Unit, name: str) -> str:
    if unit is Unit.SHARE:
        return f"{_floor(100 * value):g} %"
    if unit is Unit.COUNT:
        return f"{value:g}"
    if unit is Unit.MONEY:
        return f"{value:.4g}" if name == unit.value else f"{value:.4g} {name}"
    return show_seconds(value)


def _floor(percent: float) -> float:
    """Return `percent` with two digits, and never 100 for less."""
    return math.floor(round(percent * 100, 6)) / 100


def show_seconds(seconds: float) -> str:
    """Return a duration in at most two units."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds:.2f} s"
    units = [("d", _DAY), ("h", 3600), ("min", _MINUTE), ("s", 1)]
    first = next(index for index, (_, size) in enumerate(units) if seconds >= size)
    (name, size), (small, part) = units[first], units[first + 1]
    count, rest = divmod(round(seconds / part), size // part)
    return f"{count} {name} {rest} {small}" if rest else f"{count} {name}"


def _show_burn(rate: float | None) -> str:
    if rate is None:
        return "-"
    return "inf" if math.isinf(rate) else f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"


def sparkline(values: Sequence[float | None]) -> str:
    """Return a bar for each of `values`, from the least to the greatest, and a dot for none."""
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    steps = len(BARS) - 1
    return "".join(
        _NOTHING if value is None else BARS[round((value - low) / (high - low) * steps) if high > low else steps // 2]
        for value in values
    )
