"""Faults, each in a project of its own: every alert reaches a webhook and ends, and every query has data.

That is one test, because the servers are what takes time, and the dashboards are looked at on what the faults have left.
"""

from __future__ import annotations

import json
import math
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_ftc.integrations.kit.alerts import make_alerts
from pytest_ftc.integrations.kit.files import DASHBOARDS, KitAnswers, make_files, render_dashboard
from pytest_ftc.integrations.kit.game_day.faults import FAULTS
from pytest_ftc.integrations.kit.game_day.play import Outcome, game_day
from pytest_ftc.integrations.kit.queries import ask, list_queries, variables
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.rules import runbook_url
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.integrations.kit.writing import write_kit
from pytest_ftc.integrations.metrics.table import TABLE

RUNBOOKS = "https://wiki.example.org/runbooks"


def test_every_alert_fires_and_ends_and_every_query_has_data(tmp_path: Path) -> None:
    begin = time.time()
    with game_day(tmp_path, RUNBOOKS) as day:
        outcomes = day.play(FAULTS, lambda outcome: None)
        prometheus = day.running.prometheus
        window = {"start": f"{begin}", "end": f"{time.time()}", "step": "1"}
        without = [name for name, query in _queries() if not _has_data(prometheus, query, window)]
        rules = [rule for group in ask(prometheus, "rules")["groups"] for rule in group["rules"]]
    assert [_describe(outcome) for outcome in outcomes if not outcome.passed] == []
    told = {outcome.alert: (outcome.notice.severity, outcome.notice.runbook) for outcome in outcomes if outcome.notice}
    assert told == {one.name: (one.severity, runbook_url(RUNBOOKS, one.name)) for one in make_alerts(Targets())}
    assert without == []
    assert [(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"] == []


def test_the_servers_accept_the_configurations_of_the_kit(tmp_path: Path) -> None:
    write_kit(tmp_path, make_files(KitAnswers(runbooks=RUNBOOKS, webhook="http://localhost:9099/")))
    for command in (
        ["promtool", "check", "config", "prometheus/prometheus.yml"],
        ["amtool", "check-config", "alertmanager/alertmanager.yml"],
    ):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, "SUCCESS" in done.stdout) == (0, True), done.stdout + done.stderr


def _queries() -> Iterator[tuple[str, str]]:
    """Yield all queries of dashboards, recording rules and metrics, with a name for each."""
    values = variables(300, 20)
    for name in DASHBOARDS:
        board: dict[str, Any] = json.loads(render_dashboard(name, KitAnswers(runbooks=RUNBOOKS, webhook="http://x/")))
        for query in list_queries(board, values):
            yield f"{name}: {query.panel}: {query.expr}", query.expr
    for recording in RECORDINGS:
        yield recording.name, recording.name
    for metric in TABLE:
        yield metric.name, f'{{__name__=~"{metric.name}|{metric.name}_count"}}'


def _has_data(prometheus: str, query: str, window: dict[str, str]) -> bool:
    found = ask(prometheus, "query_range", query=query, **window)["result"]
    return any(math.isfinite(float(value)) for one in found for _, value in one["values"])


def _describe(outcome: Outcome) -> str:
    said = "\n".join(outcome.said)
    return f"{outcome.fault.name} {outcome.alert} fired={outcome.fired} ended={outcome.ended}\n{said}"
