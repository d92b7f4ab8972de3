"""The rules and routes, checked by Prometheus' and Alertmanager's own tools: each alert fires and clears."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from rule_scenarios import SCENARIOS, Scenario

from pytest_ftc.integrations.kit.alertmanager import Maintenance, render_alertmanager
from pytest_ftc.integrations.kit.alerts import make_alerts
from pytest_ftc.integrations.kit.rules import render_rules
from pytest_ftc.integrations.kit.targets import Targets

RUNBOOKS = "https://docs.example.org/runbooks.html"


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("rules") / "rules.yml"
    file.write_text(render_rules(RUNBOOKS))
    return file


def run(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_rules_at_every_pace(rules: Path, tmp_path: Path) -> None:
    assert "SUCCESS" in run("promtool", "check", "rules", rules)
    (tmp_path / "quick.yml").write_text(render_rules(RUNBOOKS, haste=3600))
    assert "SUCCESS" in run("promtool", "check", "rules", tmp_path / "quick.yml")


def test_alertmanager_accepts_the_routes_and_sends_each_alert_its_way(tmp_path: Path) -> None:
    for maintenance in (None, Maintenance(weekday="sunday", begins="02:00", ends="04:00")):
        file = tmp_path / "alertmanager.yml"
        file.write_text(render_alertmanager("http://127.0.0.1:1/page", "http://127.0.0.1:1/ticket", maintenance))
        assert "SUCCESS" in run("amtool", "check-config", file)
        for severity in ("page", "ticket"):
            found = run("amtool", "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
            assert found.strip() == severity


def test_every_alert_has_a_scenario_and_a_runbook() -> None:
    alerts = {alert.name: alert.severity for alert in make_alerts(Targets())}
    assert SCENARIOS.keys() == alerts.keys()
    text = (Path(__file__).parents[2] / "docs" / "runbooks.md").read_text()
    found = dict(re.findall(r"^## (Ftc\w+)\n\n(Page|Ticket)\. ", text, re.MULTILINE))
    assert {name: severity.lower() for name, severity in found.items()} == alerts


def _expect(name: str, scenario: Scenario) -> dict[str, object]:
    # Alerts have labels and texts of their own, which promtool would compare too.
    firing = f'count by (alertname) (ALERTS{{alertname="{name}",alertstate="firing"}})'
    seen = [{"labels": f'{{alertname="{name}"}}', "value": 1}]
    moments = {scenario.quiet: [], scenario.fires: seen, scenario.clears: []}
    return {
        "interval": f"{scenario.step}m",
        "name": name,
        "input_series": [{"series": series, "values": values} for series, values in scenario.series.items()],
        "promql_expr_test": [
            {"expr": firing, "eval_time": f"{moment * scenario.step}m", "exp_samples": samples}
            for moment, samples in moments.items()
        ],
    }


def _rules_of(alert: str, text: str) -> dict[str, object]:
    """Return the rule of `alert` and those that it is made from: to evaluate all for each takes minutes."""
    recordings, alerts = yaml.safe_load(text)["groups"]
    (rule,) = [one for one in alerts["rules"] if one["alert"] == alert]
    needed, known = [rule], {one["record"]: one for one in recordings["rules"]}
    for one in needed:
        needed += [known[name] for name in known if name in one["expr"] and known[name] not in needed]
    records = [one for one in recordings["rules"] if one in needed]
    return {"groups": [{**recordings, "rules": records}, {**alerts, "rules": [rule]}]}


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_alert_fires_and_clears(rules: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "rules.yml").write_text(json.dumps(_rules_of(name, rules.read_text())))
    document = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": f"{SCENARIOS[name].step}m",
        # With long steps, what was recorded a step ago is too old for an alert.
        "group_eval_order": ["ftc-recordings", "ftc-alerts"],
        "tests": [_expect(name, SCENARIOS[name])],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(document))
    assert "SUCCESS" in run("promtool", "test", "rules", tmp_path / "tests.yml")
