"""Panels and dashboards as plain data, and what Grafana's own SDK makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

RUNBOOKS = "https://example.org/runbooks"
"""Stands for the address of the runbooks, until `ftc kit` writes the real one."""
PROJECT = 'project=~"$project"'
ARTIFACT = f'{PROJECT}, artifact=~"$artifact"'
"""What the queries select."""
_SOURCE = models.DataSourceRef("prometheus", "${datasource}")
_SPARSEST = "1m"
"""No interval is shorter: then `$__rate_interval` holds several scrapes."""
AnyPanel: TypeAlias = "timeseries.Panel | stat.Panel | bargauge.Panel | table.Panel"


class Look(Enum):
    """How a panel shows its values."""

    NUMBER = "number"
    """The last value of each series."""
    LINES = "lines"
    BARS = "bars"
    """How much in each interval, stacked."""
    GAUGES = "gauges"
    """A bar for the last value of each series."""
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One panel."""

    title: str
    answers: str
    """The question that it answers."""
    queries: Sequence[Query]
    look: Look
    unit: str = "short"
    """A unit of Grafana: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts."""
    steps: Sequence[tuple[float | None, str]] = ((None, "green"),)
    """From which value on it has which colour; the first is without a value."""
    runbook: str = ""
    """The alert whose runbook says what to do."""
    width: int = 8
    """Of 24 columns."""
    height: int = 7
    top: float | None = None
    """The largest value of the axis."""
    nothing: str = ""
    """What it says where the queries find nothing, if that is good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A heading, with the panels below it."""

    title: str
    charts: Sequence[Chart]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    answers: str
    span: str
    """The time that it shows at first, such as ``now-7d``."""
    rows: Sequence[Row]
    per_artifact: bool = False
    """Whether one can choose artifacts."""


def render(board: Board) -> str:
    """Return the JSON of `board`, always the same bytes."""
    built = (
        dashboard.Dashboard(board.title)
        .uid(board.uid)
        .description(board.answers)
        .tags(["ftc", "reproducible-builds"])
        .time(board.span, "now")
        .timezone("browser")
        .refresh("1m")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .link(
            dashboard.DashboardLink("Other dashboards of ftc")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags(["ftc"])
            .as_dropdown(True)
            .include_vars(True)
            .keep_time(True)
        )
        .link(dashboard.DashboardLink("Runbooks").url("${runbooks}").target_blank(True))
    )
    _add_variables(built, board)
    _add_panels(built, board)
    text = json.dumps(built.build(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False)
    return f"{text}\n"


def _add_variables(built: dashboard.Dashboard, board: Board) -> None:
    built.with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    built.with_variable(_choice("project", "Project", "label_values(ftc_info, project)"))
    if board.per_artifact:
        query = f"label_values(ftc_artifact_critical{{{PROJECT}}}, artifact)"
        built.with_variable(_choice("artifact", "Artifact", query))
    built.with_variable(dashboard.ConstantVariable("runbooks").label("Runbooks").value(RUNBOOKS))


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(_SOURCE)
        .query(query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(models.VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def _add_panels(built: dashboard.Dashboard, board: Board) -> None:
    number = 0
    for row in board.rows:
        number += 1
        built.with_row(dashboard.Row(row.title).id(number))
        for chart in row.charts:
            number += 1
            built.with_panel(_panel(chart).id(number))


def _panel(chart: Chart) -> AnyPanel:
    panel = _LOOKS[chart.look](chart)
    panel.title(chart.title).description(chart.answers).datasource(_SOURCE).interval(_SPARSEST)
    panel.span(chart.width).height(chart.height).unit(chart.unit)
    steps = [models.Threshold(value=value, color=colour) for value, colour in chart.steps]
    panel.thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
    if chart.top is not None:
        panel.max(chart.top)
    if chart.nothing:
        panel.no_value(chart.nothing)
    if chart.runbook:
        link = dashboard.DashboardLink(f"Runbook of {chart.runbook}").url(f"${{runbooks}}#{chart.runbook.lower()}")
        panel.links([link.type(models.DashboardLinkType.LINK).target_blank(True)])
    for place, query in enumerate(chart.queries):
        panel.with_target(_target(chart.look, query).ref_id(chr(ord("A") + place)))
    return panel


def _target(look: Look, query: Query) -> prometheus.Dataquery:
    target = prometheus.Dataquery().expr(query.expr).datasource(_SOURCE)
    target.legend_format(query.legend or "__auto")
    if look in (Look.LINES, Look.BARS):
        return target.range()
    return target.instant().format(PromQueryFormat.TABLE if look is Look.TABLE else PromQueryFormat.TIME_SERIES)


def _lines(chart: Chart) -> timeseries.Panel:
    line = common.GraphThresholdsStyleConfig().mode(common_models.GraphTresholdsStyleMode.LINE)
    panel = timeseries.Panel().legend(_legend()).min(0).thresholds_style(line)
    return panel.draw_style(common_models.GraphDrawStyle.LINE).fill_opacity(8).span_nulls(True)


def _bars(chart: Chart) -> timeseries.Panel:
    stacking = common.StackingConfig().mode(common_models.StackingMode.NORMAL)
    panel = timeseries.Panel().legend(_legend()).min(0).stacking(stacking)
    return panel.draw_style(common_models.GraphDrawStyle.BARS).fill_opacity(70)


def _legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True)
    return legend.display_mode(common_models.LegendDisplayMode.LIST).placement(common_models.LegendPlacement.BOTTOM)


def _number(chart: Chart) -> stat.Panel:
    return stat.Panel().reduce_options(_last()).color_mode(common_models.BigValueColorMode.VALUE)


def _gauges(chart: Chart) -> bargauge.Panel:
    panel = bargauge.Panel().reduce_options(_last()).display_mode(common_models.BarGaugeDisplayMode.BASIC).min(0)
    return panel.orientation(common_models.VizOrientation.HORIZONTAL)


def _table(chart: Chart) -> table.Panel:
    hidden = models.DataTransformerConfig(
        id_val="organize", options={"excludeByName": {"Time": True, "__name__": True, "job": True, "instance": True}}
    )
    return table.Panel().with_transformation(hidden).show_header(True)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


_LOOKS: dict[Look, Callable[[Chart], AnyPanel]] = {
    Look.NUMBER: _number,
    Look.LINES: _lines,
    Look.BARS: _bars,
    Look.GAUGES: _gauges,
    Look.TABLE: _table,
}
