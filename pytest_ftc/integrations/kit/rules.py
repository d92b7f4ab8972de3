"""The file of rules for Prometheus."""

from __future__ import annotations

import re

from pytest_ftc.integrations.kit.alerts import Alert, make_alerts
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.integrations.kit.yaml_text import Node, render_yaml

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WINDOW = re.compile(r"(\[|\boffset )([0-9]+[smhd])\b")


def render_rules(runbooks: str, targets: Targets | None = None, *, haste: float = 1.0) -> str:
    """Return the recording and alerting rules as YAML.

    `runbooks` is the URL of docs/runbooks.md as it is published; the name of each alert is an anchor there.  With
    `haste`, all durations are divided by that, so that an exercise takes minutes instead of days.
    """
    alerts = [_describe(alert, runbooks, haste) for alert in make_alerts(targets or Targets())]
    records: list[Node] = [{"record": one.name, "expr": _hasten(one.expression, haste)} for one in RECORDINGS]
    return render_yaml(
        {"groups": [{"name": "ftc-recordings", "rules": records}, {"name": "ftc-alerts", "rules": alerts}]}
    )


def runbook_url(runbooks: str, alert: str) -> str:
    """Return where the runbook of `alert` is."""
    return f"{runbooks}#{alert.lower()}"


def _describe(alert: Alert, runbooks: str, haste: float) -> Node:
    timing = {"for": alert.lasting, "keep_firing_for": alert.kept}
    return {
        "alert": alert.name,
        "expr": _hasten(alert.expression, haste),
        **{key: _shorten(value, haste) for key, value in timing.items() if value != "0m"},
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": runbook_url(runbooks, alert.name),
        },
    }


def _hasten(expression: str, haste: float) -> str:
    """Return `expression` with its windows and offsets divided by `haste`."""
    return _WINDOW.sub(lambda match: f"{match[1]}{_shorten(match[2], haste)}", expression)


def _shorten(duration: str, haste: float) -> str:
    """Return `duration`, of one unit such as ``5m``, divided by `haste`."""
    return duration if haste == 1 else f"{max(1, round(int(duration[:-1]) * _UNITS[duration[-1]] * 1000 / haste))}ms"
