"""Draws a dashboard of `ftc kit` as one page, from its JSON and what a Prometheus holds: only for looking at it.

    python scripts/show_dashboard.py DASHBOARD.json http://localhost:9090 PAGE.html [SECONDS]

It is no Grafana: it knows the few kinds of panels, units and colours that these dashboards have.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from pytest_ftc.integrations.kit.queries import PanelQuery, ask, panel_queries, variables

COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#b877d9", "#8ab8ff", "#f2495c", "#37872d", "#fade2a", "#c4162a")
NAMED = {"green": "#73bf69", "orange": "#ff9830", "red": "#f2495c"}
STEPS = 90
STYLE = """
body { background: #111217; color: #ccccdc; font: 13px sans-serif; margin: 12px; }
h1 { font-size: 20px; margin: 4px 0; } h2 { font-size: 15px; margin: 8px 0 0; grid-column: 1 / -1; }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 30px; gap: 6px; }
section { background: #181b1f; border: 1px solid #2c3235; padding: 6px; overflow: hidden; display: flex;
  flex-direction: column; }
h3 { font-size: 13px; margin: 0 0 4px; font-weight: 600; } h3 a { float: right; color: #6e9fff; font-weight: 400; }
.number { font-size: 30px; text-align: center; margin: auto; }
.number small { font-size: 12px; display: block; color: #999; }
.numbers { display: flex; flex: 1; flex-wrap: wrap; } table { border-collapse: collapse; width: 100%; font-size: 12px; }
td, th { text-align: left; border-bottom: 1px solid #2c3235; padding: 2px 6px; } svg { flex: 1; min-height: 0; }
.legend { font-size: 11px; } .legend b { margin-right: 4px; } .legend span { margin-right: 12px; white-space: nowrap; }
.gauge { display: flex; align-items: center; font-size: 12px; margin: 2px 0; }
.gauge span { width: 48%; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; } .gauge i { height: 14px; display: block; }
.gauge div { flex: 1; background: #22252b; }
.gauge em { width: 64px; text-align: right; font-style: normal; } .none { margin: auto; color: #888; }
"""
Series = tuple[str, Sequence[tuple[float, float]]]


def main(board_file: str, prometheus: str, page: str, seconds: str = "3600") -> None:
    """Write the page."""
    board, span = json.loads(Path(board_file).read_text("utf-8")), int(seconds)
    values = variables(span, max(60, span // STEPS))
    panels = "\n".join(_draw(panel, prometheus, values, span) for panel in board["panels"])
    head = f"<!doctype html><meta charset=utf-8><title>{escape(board['title'])}</title><style>{STYLE}</style>"
    text = f"{head}<h1>{escape(board['title'])}</h1><p>{escape(board['description'])}</p><main>{panels}</main>"
    Path(page).write_text(text, "utf-8")


def _draw(panel: Mapping[str, Any], prometheus: str, values: Mapping[str, str], span: int) -> str:
    place = panel["gridPos"]
    if panel["type"] == "row":
        return f"<h2>{escape(panel['title'])}</h2>"
    queries = list(panel_queries(panel, values))
    content = _KINDS[panel["type"]](panel, prometheus, queries, span)
    content = content or f"<div class=none>{escape(panel['fieldConfig']['defaults'].get('noValue', 'No data'))}</div>"
    link = "".join(f"<a href='#'>{escape(one['title'])}</a>" for one in panel.get("links", ()))
    size = f"grid-column: span {place['w']}; grid-row: span {place['h']}"
    return f"<section style='{size}'><h3>{escape(panel['title'])}{link}</h3>{content}</section>"


def _last(prometheus: str, queries: Sequence[PanelQuery]) -> list[Series]:
    return [
        (_name(query, one["metric"]), [(one["value"][0], float(one["value"][1]))])
        for query in queries
        for one in ask(prometheus, "query", query=query.expr)["result"]
    ]


def _over_time(prometheus: str, queries: Sequence[PanelQuery], span: int) -> list[Series]:
    now = time.time()
    step = max(1, span // STEPS)
    window = {"start": f"{now - span}", "end": f"{now}", "step": str(step)}
    return [
        (_name(query, one["metric"]), [(moment, float(value)) for moment, value in one["values"]])
        for query in queries
        for one in ask(prometheus, "query_range", query=query.expr, **window)["result"]
    ]


def _name(query: PanelQuery, labels: Mapping[str, str]) -> str:
    if query.legend in ("", "__auto"):
        return ", ".join(value for name, value in labels.items() if name != "__name__")
    text = query.legend
    for name, value in labels.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    return text


def _shown(value: float, unit: str) -> str:
    if value != value:
        return "—"
    if unit == "percentunit":
        return f"{value * 100:.4g} %"
    if unit == "bool_yes_no":
        return "yes" if value else "no"
    if unit == "bytes":
        power = next((power for power in (3, 2, 1) if abs(value) >= 1024**power), 0)
        return f"{value / 1024**power:.3g} {('B', 'KiB', 'MiB', 'GiB')[power]}"
    if unit == "s" and value >= 120:
        return f"{value / 60:.3g} min" if value < 7200 else f"{value / 3600:.3g} h"
    return f"{value:.3g}{' s' if unit == 's' else ''}"


def _colour(panel: Mapping[str, Any], value: float) -> str:
    reached = "green"
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is None or value >= step["value"]:
            reached = step["color"]
    return NAMED[reached]


def _unit(panel: Mapping[str, Any]) -> str:
    return str(panel["fieldConfig"]["defaults"].get("unit", "short"))


def _numbers(panel: Mapping[str, Any], prometheus: str, queries: Sequence[PanelQuery], span: int) -> str:
    found = _last(prometheus, queries)
    parts = [
        f"<div class=number style='color: {_colour(panel, points[-1][1])}'>{_shown(points[-1][1], _unit(panel))}"
        f"<small>{escape(name)}</small></div>"
        for name, points in found[:12]
    ]
    return f"<div class=numbers>{''.join(parts)}</div>" if found else _NOTHING


def _gauges(panel: Mapping[str, Any], prometheus: str, queries: Sequence[PanelQuery], span: int) -> str:
    found = _last(prometheus, queries)
    top = panel["fieldConfig"]["defaults"].get("max") or max((points[-1][1] for _, points in found), default=1) or 1
    rows = []
    for name, points in found[:14]:
        value = points[-1][1]
        width = max(0.0, min(100.0, value / top * 100)) if value == value else 0
        bar = f"<div><i style='width: {width:.1f}%; background: {_colour(panel, value)}'></i></div>"
        rows.append(f"<div class=gauge><span>{escape(name)}</span>{bar}<em>{_shown(value, _unit(panel))}</em></div>")
    return "".join(rows) or _NOTHING


def _table(panel: Mapping[str, Any], prometheus: str, queries: Sequence[PanelQuery], span: int) -> str:
    found = [one for query in queries for one in ask(prometheus, "query", query=query.expr)["result"]]
    hidden = {"__name__", "job", "instance"}
    names = sorted({name for one in found for name in one["metric"]} - hidden)
    if not found:
        return _NOTHING
    head = "".join(f"<th>{escape(name)}</th>" for name in (*names, "Value"))
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(one['metric'].get(name, ''))}</td>" for name in names)
        + f"<td>{_shown(float(one['value'][1]), _unit(panel))}</td></tr>"
        for one in found[:20]
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


def _chart(panel: Mapping[str, Any], prometheus: str, queries: Sequence[PanelQuery], span: int) -> str:
    found = [(name, points) for name, points in _over_time(prometheus, queries, span) if points]
    if not found:
        return _NOTHING
    stacked = panel["fieldConfig"]["defaults"]["custom"]["drawStyle"] == "bars"
    top = _top(found, stacked) or 1
    now = time.time()
    drawn = _draw_bars(found, top, now - span, span) if stacked else _draw_lines(found, top, now - span, span)
    labels = "".join(
        f"<text x=2 y={190 - share * 180:.0f} fill=#999 font-size=11>{escape(_shown(top * share, _unit(panel)))}</text>"
        f"<line x1=60 x2=590 y1={186 - share * 180:.0f} y2={186 - share * 180:.0f} stroke=#2c3235 />"
        for share in (0, 0.5, 1)
    ) + "".join(
        f"<text x={60 + share * 470:.0f} y=199 fill=#999 font-size=11>"
        f"{datetime.fromtimestamp(now - span + share * span):%H:%M:%S}</text>"
        for share in (0, 0.5, 1)
    )
    legend = "".join(
        f"<span><b style='color: {COLOURS[place % len(COLOURS)]}'>■</b>{escape(name)}</span>"
        for place, (name, _) in enumerate(found[:12])
    )
    return f"<svg viewBox='0 0 600 202' preserveAspectRatio=none>{labels}{drawn}</svg><div class=legend>{legend}</div>"


def _top(found: Sequence[Series], stacked: bool) -> float:
    sums: dict[float, float] = {}
    for _, points in found:
        for moment, value in points:
            if value == value:
                sums[moment] = (sums.get(moment, 0) + value) if stacked else max(sums.get(moment, 0), value)
    return max(sums.values(), default=0)


def _draw_lines(found: Sequence[Series], top: float, start: float, span: int) -> str:
    parts = []
    for place, (_, points) in enumerate(found):
        line = " ".join(
            f"{60 + (moment - start) / span * 530:.1f},{186 - value / top * 180:.1f}"
            for moment, value in points
            if value == value
        )
        parts.append(f"<polyline fill=none stroke='{COLOURS[place % len(COLOURS)]}' stroke-width=2 points='{line}' />")
    return "".join(parts)


def _draw_bars(found: Sequence[Series], top: float, start: float, span: int) -> str:
    parts, below = [], dict[float, float]()
    width = 530 / STEPS * 0.8
    for place, (_, points) in enumerate(found):
        for moment, value in points:
            if not value > 0:
                continue
            base = below.get(moment, 0)
            below[moment] = base + value
            x, height = 60 + (moment - start) / span * 530, value / top * 180
            y = 186 - base / top * 180 - height
            colour = COLOURS[place % len(COLOURS)]
            parts.append(f"<rect x={x:.1f} y={y:.1f} width={width:.1f} height={height:.1f} fill='{colour}' />")
    return "".join(parts)


_NOTHING = ""
_KINDS = {"stat": _numbers, "bargauge": _gauges, "table": _table, "timeseries": _chart}

if __name__ == "__main__":
    main(*sys.argv[1:])
