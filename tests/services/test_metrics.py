"""Metrics of a real session arrive in a real Prometheus, by a real Pushgateway, and its alerts at a webhook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from services.observability import Watch, await_it, watching

from pytest_ftc.integrations.kit.alertmanager import render_alertmanager
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.rules import render_rules
from pytest_ftc.integrations.metrics.table import TABLE, Kind

RUNBOOKS = "https://docs.example.org/runbooks.html"
RULES = render_rules(RUNBOOKS)
PROJECT = """
[tool.ftc.metrics]
project = "lib"
pushgateway = "{url}"
headers = {{ authorization = "env:PUSH_TOKEN" }}
grouping = {{ instance = "ci" }}

[tool.ftc.cost]
per_cpu_hour = 1000
per_gb = 1
currency = "EUR"

[tool.ftc.artifacts.good]
build = "echo hello > good.txt"
outputs = ["good.txt"]

[tool.ftc.artifacts.bad]
build = "({bad}) > bad.txt"
outputs = ["bad.txt"]
critical = true
"""


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    with watching(tmp_path_factory.mktemp("watch"), RULES, render_alertmanager) as running:
        yield running


@pytest.fixture(scope="module")
def folder(watch: Watch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, after its first session."""
    root = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FTC_STORE", str(tmp_path_factory.mktemp("store")))
        # What counts from zero must be scraped at zero: a session reports after a second, Prometheus looks every second.
        said = verify(root, watch, "sleep 3; date +%s%N")
    assert "1 failed, 1 passed" in said and "metrics" not in said
    return root


def verify(root: Path, watch: Watch, bad: str) -> str:
    (root / "pyproject.toml").write_text(PROJECT.format(url=watch.pushgateway, bad=bad))
    command = [sys.executable, "-m", "pytest", "--ftc-verify", "--ftc-builds=2", "--ftc-diagnose=fast"]
    environ = {**os.environ, "PUSH_TOKEN": "Bearer hunter2"}
    done = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_every_metric_of_a_session_is_scraped(watch: Watch, folder: Path) -> None:
    watch.await_answer('ftc_sessions_total{project="lib",instance="ci",outcome="failed"} == 1')
    missing = []
    for metric in TABLE:
        name = f"{metric.name}_count" if metric.kind is Kind.HISTOGRAM else metric.name
        if not watch.ask(f'{name}{{project="lib",instance="ci",job="ftc"}}'):
            missing.append(metric.name)
    assert missing == []
    for query, value in (
        ('ftc_builds_total{role="control",outcome="ok"}', 2),
        ("sum(ftc_build_seconds_count)", 4),
        ('ftc_verdicts_total{artifact="bad",verdict="unreproducible",cached="false"}', 1),
        ('ftc_artifact_reproducible{artifact="bad"}', 0),
        ('ftc_artifact_reproducible{artifact="good"}', 1),
        ('ftc_findings_total{cause="time"}', 1),
        ('ftc_breaker_open{service="store"}', 0),
        ("ftc_session_active", 0),
        ("ftc_store_up", 1),
        ('ftc_cache_misses_total{tier="local"}', 2),
    ):
        found = watch.ask(query)
        assert [float(one["value"][1]) for one in found] == [value], (query, found)
    assert float(watch.ask('ftc_verification_cost_total{artifact="bad",currency="EUR"}')[0]["value"][1]) > 0


@pytest.mark.parametrize("rule", RECORDINGS, ids=lambda one: one.name)
def test_each_recording_rule_returns_data(watch: Watch, folder: Path, rule: object) -> None:
    found = watch.await_answer(rule.name)  # type: ignore[attr-defined]
    assert all(one["metric"]["project"] == "lib" and one["value"][1] != "NaN" for one in found)


def test_an_alert_of_a_real_session_reaches_the_webhook_and_is_resolved(
    watch: Watch, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = "FtcMismatchInCriticalArtifact"
    fired = watch.await_alert(name, "firing", project="lib", artifact="bad")
    assert fired in watch.received["page"]
    assert fired["annotations"]["runbook_url"] == f"{RUNBOOKS}#ftcmismatchincriticalartifact"
    assert fired["annotations"]["summary"] == "The critical artifact bad of lib is not reproducible"
    monkeypatch.setenv("FTC_STORE", str(tmp_path))
    assert "2 passed" in verify(folder, watch, "echo always the same")
    watch.await_alert(name, "resolved", project="lib", artifact="bad")


def test_every_alert_reaches_its_webhook_with_its_runbook(watch: Watch) -> None:
    rules = [rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"] if "alert" in rule]
    alerts = [
        {
            # A page makes the tickets of its project silent.
            "labels": {"alertname": rule["alert"], "project": f"of-{rule['alert']}", **rule["labels"]},
            "annotations": rule["annotations"],
        }
        for rule in rules
    ]
    post(f"{watch.alertmanager}/api/v2/alerts", alerts)
    for rule in rules:
        got = watch.await_alert(rule["alert"], "firing", project=f"of-{rule['alert']}")
        assert got in watch.received[rule["labels"]["severity"]]
        assert got["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"


def test_a_page_makes_the_tickets_of_its_project_silent(watch: Watch) -> None:
    def alert(name: str, severity: str, project: str) -> dict[str, object]:
        return {"labels": {"alertname": name, "severity": severity, "project": project}}

    post(f"{watch.alertmanager}/api/v2/alerts", [alert("FtcStoreOutage", "page", "quiet")])
    watch.await_alert("FtcStoreOutage", "firing", project="quiet")
    post(
        f"{watch.alertmanager}/api/v2/alerts",
        [alert("FtcCacheEvicts", "ticket", project) for project in ("quiet", "other")],
    )
    watch.await_alert("FtcCacheEvicts", "firing", project="other")
    states = await_it(lambda: find_states(watch, "quiet"), "both alerts")
    assert states == {"FtcStoreOutage": "active", "FtcCacheEvicts": "suppressed"}


def find_states(watch: Watch, project: str) -> dict[str, str] | None:
    with urllib.request.urlopen(f"{watch.alertmanager}/api/v2/alerts?filter=project%3D{project}", timeout=10) as answer:
        states = {one["labels"]["alertname"]: one["status"]["state"] for one in json.load(answer)}
    return states if len(states) == 2 and "unprocessed" not in states.values() else None


def test_a_deleted_group_is_gone(watch: Watch, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSH_TOKEN", "x")
    done = subprocess.run([sys.executable, "-m", "pytest_ftc", "metrics", "delete"], cwd=folder, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout == f"✔ deleted from {watch.pushgateway} {{job=ftc, project=lib, instance=ci}}\n", done.stderr
    with urllib.request.urlopen(f"{watch.pushgateway}/metrics", timeout=10) as response:
        assert b'project="lib"' not in response.read()


def post(url: str, document: object) -> None:
    request = urllib.request.Request(url, json.dumps(document).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).close()
