"""Rules and routes are the same each time, and ask only for what is measured."""

import re

import pytest
import yaml

from pytest_ftc.integrations.kit.alertmanager import Maintenance, render_alertmanager
from pytest_ftc.integrations.kit.alerts import make_alerts
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.rules import render_rules
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.integrations.kit.yaml_text import render_yaml
from pytest_ftc.integrations.metrics.table import BY_NAME, Kind

RUNBOOKS = "https://docs.example.org/runbooks.html"
ALERTS = make_alerts(Targets())


def test_they_are_the_same_each_time():
    assert render_rules(RUNBOOKS) == render_rules(RUNBOOKS)
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    assert len({one.name for one in RECORDINGS}) == len(RECORDINGS)


@pytest.mark.parametrize("rule", [*RECORDINGS, *ALERTS], ids=lambda one: one.name)
def test_each_asks_only_for_what_is_measured_or_recorded(rule):
    recorded = {one.name for one in RECORDINGS}
    asked = re.findall(r"[a-z_]*:[a-z_0-9:]+|\bftc_[a-z_]+", rule.expression)
    assert asked
    for name in asked:
        metric = BY_NAME.get(name) or BY_NAME.get(re.sub(r"_(bucket|sum|count)$", "", name))
        assert name in recorded or metric, name
        if metric and metric.name != name:
            assert metric.kind is Kind.HISTOGRAM


@pytest.mark.parametrize("rule", [*RECORDINGS, *ALERTS], ids=lambda one: one.name)
def test_each_selects_labels_that_the_metric_has(rule):
    for name, matchers in re.findall(r"\b(ftc_[a-z_]+)\{([^}]*)\}", rule.expression):
        for label, values in re.findall(r'([a-z]+)(?:=~|!=|=)"([^"]*)"', matchers):
            metric = BY_NAME[name]
            own = [one for one in metric.labels if one not in ("project", "artifact")]
            assert label in own, (name, label)
            known = {one[own.index(label)] for one in metric.values}
            assert not known or set(values.split("|")) <= known, (name, label)


def test_each_alert_says_what_where_and_what_to_do():
    rules = [
        rule for group in yaml.safe_load(render_rules(RUNBOOKS))["groups"] for rule in group["rules"] if "alert" in rule
    ]
    assert [rule["alert"] for rule in rules] == [alert.name for alert in ALERTS]
    for rule in rules:
        assert rule["annotations"]["runbook_url"] == f"{RUNBOOKS}#{rule['alert'].lower()}"
        assert "{{ $labels.project }}" in rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("page", "ticket")


def test_haste_divides_every_duration():
    slow, quick = render_rules(RUNBOOKS), render_rules(RUNBOOKS, haste=60)
    assert "[5m]" in slow and "[5000ms]" in quick
    assert "offset 6h" in slow and "offset 360000ms" in quick
    assert "for: 1h" not in quick.replace('"', "") and "for: 60000ms" in quick.replace('"', "")
    assert not re.search(r"\[\d+[mhd]\]|offset \d+[mhd]\b", quick)


def test_targets_are_limits():
    text = render_rules(
        RUNBOOKS,
        Targets(
            build_success=0.9,
            cache_hits=0.5,
            verified_days=7,
            stuck_timeouts=1.5,
            stuck_seconds=30,
            slower=3,
            cost_per_day=99,
        ),
    )
    stuck = "> 1.5 * max by (project, instance) (ftc_build_timeout_seconds) + 30"
    for limit in ("> 1.44", "< 0.5", "> 7", stuck, "> 3 *", "> 99"):
        assert limit in text
    with pytest.raises(ValueError, match="reproducible: expected a share between 0 and 1"):
        Targets(reproducible=1)


def test_routes_go_by_severity_and_pages_make_tickets_pointless():
    config = yaml.safe_load(render_alertmanager("http://h/page", "http://h/ticket"))
    assert [route["receiver"] for route in config["route"]["routes"]] == ["page", "ticket"]
    assert {one["name"]: one["webhook_configs"][0]["url"] for one in config["receivers"]} == {
        "page": "http://h/page",
        "ticket": "http://h/ticket",
    }
    for rule in config["inhibit_rules"]:
        assert rule["equal"] == ["project"]
    assert "time_intervals" not in config
    named = re.search('"(.*)"', config["inhibit_rules"][1]["target_matchers"][0])[1].split("|")
    assert set(named) <= {alert.name for alert in ALERTS}


def test_maintenance_mutes_tickets_alone():
    config = yaml.safe_load(
        render_alertmanager("http://h/p", "http://h/t", Maintenance(weekday="sunday", begins="02:00", ends="04:00"))
    )
    page, ticket = config["route"]["routes"]
    assert "mute_time_intervals" not in page and ticket["mute_time_intervals"] == ["maintenance"]
    assert config["time_intervals"] == [
        {"name": "maintenance", "time_intervals": [{"weekdays": ["sunday"], "times": [{"start_time": "02:00", "end_time": "04:00"}]}]}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "node",
    [
        {"a": ["b", {"c": "d: e", "f": ["g"]}], "h": {}, "i": []},
        {"on": "off", "number": 1, "share": 0.5, "flag": True, "text": "1", "empty": ""},
        {"expr": "a\n/\n  b", "url": "http://h/?x=1#y", "word": 'say "no"'},
        {"long": {"list": [["nested"], {"deep": {"deeper": ["end"]}}]}},
    ],
)
def test_yaml_is_read_as_it_was_written(node):
    assert yaml.safe_load(render_yaml(node)) == node


def test_in_haste_no_window_is_shorter_than_it_may_be():
    hasty = render_rules(RUNBOOKS, haste=4320, shortest=15)
    windows = {int(window) for window in re.findall(r"(?:\[|offset )(\d+)ms", hasty)}
    assert windows == {15_000, 20_000, 60_000, 140_000}
    assert not re.search(r"\[\d+[mhd]\]", hasty)
    waits = {int(wait) for wait in re.findall(r'(?:for|keep_firing_for): "(\d+)ms"', hasty)}
    assert 0 < min(waits) <= max(waits) < 1000


def test_in_haste_alertmanager_waits_a_second():
    routes = yaml.safe_load(render_alertmanager("http://a/", "http://b/", haste=4320))["route"]
    assert routes["group_wait"] == routes["routes"][0]["group_wait"] == "1000ms"
    assert routes["routes"][1]["repeat_interval"] == "60000ms"
    assert "30s" in render_alertmanager("http://a/", "http://b/")
