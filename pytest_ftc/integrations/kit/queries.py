"""The queries of dashboards, as Prometheus answers them: what Grafana puts in for its variables."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.printable import shorten

_PATIENCE = 10.0
"""Seconds for an answer."""
_MOST_BYTES = 16 << 20
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelQuery:
    """One query of a panel."""

    panel: str
    """The title of the panel."""
    expr: str
    legend: str
    instant: bool
    """Whether only the last value counts."""


def list_queries(board: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[PanelQuery]:
    """Yield the queries of the dashboard `board`, with `values` for its variables: see `variables`."""
    for panel in board["panels"]:
        yield from panel_queries(panel, values)


def panel_queries(panel: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[PanelQuery]:
    """Yield the queries of one `panel`, with `values` for its variables."""
    for target in panel.get("targets", ()):
        expr = _VARIABLE.sub(lambda match: values[match[1] or match[2]], target["expr"])
        legend = target.get("legendFormat", "")
        yield PanelQuery(panel=panel["title"], expr=expr, legend=legend, instant=bool(target.get("instant")))


def variables(seconds: int, interval: int, project: str = ".*", artifact: str = ".*") -> dict[str, str]:
    """Return the values of the variables where the last `seconds` are shown in steps of `interval` seconds."""
    return {
        "project": project,
        "artifact": artifact,
        "__range": f"{seconds}s",
        "__interval": f"{interval}s",
        "__rate_interval": f"{interval}s",
    }


def ask(prometheus: str, path: str, **parameters: str) -> Any:
    """Return the data with which the Prometheus at the URL `prometheus` answers `path`.

    Raises FtcError if it does not answer, or calls the query wrong.
    """
    url = f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as response:
            return json.loads(response.read(_MOST_BYTES))["data"]
    except urllib.error.HTTPError as error:
        said = shorten(error.read(_MOST_BYTES).decode("utf-8", "replace"))
        raise FtcError(f"Prometheus at {prometheus}: status {error.code}: {said}") from None
    except (OSError, ValueError, KeyError) as error:
        raise FtcError(f"Prometheus at {prometheus}: {shorten(str(error))}") from None
