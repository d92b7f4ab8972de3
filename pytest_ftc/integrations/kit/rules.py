"""The file of rules for Prometheus."""

from __future__ import annotations

import re

from pytest_ftc.integrations.kit.alerts import Alert, make_alerts
from pytest_ftc.integrations.kit.durations import divide
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.integrations.kit.yaml_text import Node, render_yaml

_WINDOW = re.compile(r"(\[|\boffset )([0-9]+[smhd])\b")


def render_rules(runbooks: str, targets: Targets | None = None, *, haste: float = 1.0, shortest: float = 0.0) -> str:
    """Return the recording and alerting rules as YAML.

    `runbooks` is the URL of docs/runbooks.md as it is published; the name of each alert is an anchor there.  With
    `haste`, all durations are divided by that, so that an exercise takes minutes instead of days; no window is then
    shorter than `shortest` seconds, since it must hold several values.
    """
    alerts = [_describe(alert, runbooks, haste, shortest) for alert in make_alerts(targets or Targets())]
    records: list[Node] = [{"record": one.name, "expr": _hasten(one.expression, haste, shortest)} for one in RECORDINGS]
    return render_yaml(
        {"groups": [{"name": "ftc-recordings", "rules": records}, {"name": "ftc-alerts", "rules": alerts}]}
    )


def runbook_url(runbooks: str, alert: str) -> str:
    """Return where the runbook of `alert` is."""
    return f"{runbooks}#{alert.lower()}"


def _describe(alert: Alert, runbooks: str, haste: float, shortest: float) -> Node:
    timing = {"for": alert.lasting, "keep_firing_for": alert.kept}
    return {
        "alert": alert.name,
        "expr": _hasten(alert.expression, haste, shortest),
        **{key: divide(value, haste) for key, value in timing.items() if value != "0m"},
        "labels": {"severity": alert.severity},
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            "runbook_url": runbook_url(runbooks, alert.name),
        },
    }


def _hasten(expression: str, haste: float, shortest: float) -> str:
    """Return `expression` with its windows and offsets divided by `haste`, but none shorter than `shortest` seconds."""
    return _WINDOW.sub(lambda match: f"{match[1]}{divide(match[2], haste, shortest)}", expression)
