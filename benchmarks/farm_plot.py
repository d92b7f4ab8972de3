"""Draws curves as an SVG that is the same for the same figures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 440, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 34, 46
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
"""Told apart by readers who are colour-blind as well: Okabe and Ito."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Curves over common axes; both are logarithmic, or only the lower one."""

    title: str
    below: str
    beside: str
    curves: Mapping[str, Sequence[tuple[float, float]]]
    ticks_below: Sequence[float]
    ticks_beside: Sequence[float]
    logarithmic: bool = True


def draw(panels: Sequence[Panel]) -> str:
    """Return the panels beside each other as an SVG."""
    width = _WIDTH * len(panels)
    box = f'viewBox="0 0 {width} {_HEIGHT}" font-family="sans-serif" font-size="11"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {box}>'
    parts = [head, f'<rect width="{width}" height="{_HEIGHT}" fill="#ffffff"/>']
    for number, panel in enumerate(panels):
        parts += [f'<g transform="translate({number * _WIDTH} 0)">', *_draw(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _draw(panel: Panel) -> list[str]:
    parts = [_text(_WIDTH / 2, 18, panel.title, "middle", 13)]
    for tick in panel.ticks_below:
        x = _x(panel, tick)
        parts += [_line(x, _TOP, x, _HEIGHT - _BOTTOM), _text(x, _HEIGHT - _BOTTOM + 15, f"{tick:,g}", "middle")]
    for tick in panel.ticks_beside:
        y = _y(panel, tick)
        parts += [_line(_LEFT, y, _WIDTH - _RIGHT, y), _text(_LEFT - 6, y + 4, f"{tick:,g}", "end")]
    parts.append(_text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 10, panel.below, "middle"))
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    parts.append(f'<g transform="rotate(-90 14 {middle:g})">{_text(14, middle, panel.beside, "middle")}</g>')
    for number, (name, points) in enumerate(panel.curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{_x(panel, x):.1f},{_y(panel, y):.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(_text(_WIDTH - _RIGHT - 6, _TOP + 15 + 15 * number, name, "end", 11, colour))
    return parts


def _x(panel: Panel, value: float) -> float:
    low, high = panel.ticks_below[0], panel.ticks_below[-1]
    return _LEFT + _place(value, low, high, panel.logarithmic) * (_WIDTH - _LEFT - _RIGHT)


def _y(panel: Panel, value: float) -> float:
    low, high = panel.ticks_beside[0], panel.ticks_beside[-1]
    return _HEIGHT - _BOTTOM - _place(value, low, high, panel.logarithmic) * (_HEIGHT - _TOP - _BOTTOM)


def _place(value: float, low: float, high: float, logarithmic: bool) -> float:
    if logarithmic:
        value, low, high = math.log(max(value, low)), math.log(low), math.log(high)
    return min(1.0, max(0.0, (value - low) / (high - low)))


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, anchor: str, size: int = 11, colour: str = "#333333") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}">{escape(text)}</text>'
    )
