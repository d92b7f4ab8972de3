"""What is in the kit."""

import json
import re
from pathlib import Path

import pytest
import yaml

from pytest_ftc.integrations.kit.alerts import make_alerts
from pytest_ftc.integrations.kit.files import DASHBOARDS, KitAnswers, Servers, make_files, render_prometheus
from pytest_ftc.integrations.kit.queries import list_queries, variables
from pytest_ftc.integrations.kit.recording import RECORDINGS
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.integrations.metrics.table import TABLE, Kind

ANSWERS = KitAnswers(runbooks="https://wiki.example.org/runbooks", webhook="http://localhost:9099/", project="shop")
BOARDS = {name: json.loads(make_files(ANSWERS)[f"dashboards/{name}.json"]) for name in DASHBOARDS}
SERIES = {
    name
    for metric in TABLE
    for name in (
        [f"{metric.name}_{part}" for part in ("bucket", "count", "sum")]
        if metric.kind is Kind.HISTOGRAM
        else [metric.name]
    )
}


def test_the_same_answers_give_the_same_bytes():
    assert make_files(ANSWERS) == make_files(ANSWERS)


def test_all_names_that_the_readme_has_are_files_of_the_kit():
    files = make_files(ANSWERS)
    named = set(re.findall(r"^\| `([\w/.-]+)`", files["README.md"], re.M))
    assert named == files.keys() - {"README.md"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_begin_with_the_project_and_link_to_the_runbooks(name):
    found = {variable["name"]: variable for variable in BOARDS[name]["templating"]["list"]}
    assert found["project"]["current"]["value"] == ["shop"]
    assert found["runbooks"]["query"] == ANSWERS.runbooks
    assert "example.org/runbooks" not in json.dumps(BOARDS[name]).replace(ANSWERS.runbooks, "")


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboards_ask_only_for_metrics_that_there_are(name):
    values = variables(3600, 60)
    asked = {
        series
        for query in list_queries(BOARDS[name], values)
        for series in re.findall(r"[a-z_]*:[a-z_0-9:]+|\bftc_[a-z_]+", query.expr)
    }
    assert asked
    assert asked <= SERIES | {recording.name for recording in RECORDINGS}
    assert not [query for query in list_queries(BOARDS[name], values) if "$" in query.expr]


def test_every_metric_is_on_a_dashboard():
    shown = {name for board in BOARDS.values() for name in re.findall(r"\bftc_[a-z_]+", json.dumps(board))}
    rare = {"ftc_build_timeout_seconds", "ftc_session_end_timestamp_seconds"}
    assert [metric.name for metric in TABLE if not any(name.startswith(metric.name) for name in shown | rare)] == []


def test_panels_link_to_runbooks_that_there_are():
    links = {link["url"] for board in BOARDS.values() for panel in board["panels"] for link in panel.get("links", ())}
    runbooks = set(re.findall(r"^## (\w+)$", make_files(ANSWERS)["runbooks.md"], re.M))
    assert links
    assert links <= {f"${{runbooks}}#{name.lower()}" for name in runbooks}
    assert {alert.name for alert in make_alerts(Targets())} == runbooks


def test_panels_do_not_overlap_and_fill_no_more_than_the_grid():
    for board in BOARDS.values():
        taken = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not taken & cells, panel["title"]
            assert max(x for x, _ in cells) < 24, panel["title"]
            taken |= cells
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_prometheus_reads_the_servers():
    servers = Servers(pushgateway="push:1", alertmanager="alert:2", node_exporter="node:3")
    read = yaml.safe_load(render_prometheus(servers, "1s"))
    assert read["global"]["scrape_interval"] == "1s"
    jobs = {job["job_name"]: job for job in read["scrape_configs"]}
    assert jobs["pushgateway"]["honor_labels"] is True
    targets = [jobs[name]["static_configs"][0]["targets"] for name in ("pushgateway", "node")]
    assert targets == [["push:1"], ["node:3"]]
    assert read["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alert:2"]


def test_alertmanager_and_rules_have_the_answers():
    files = make_files(ANSWERS)
    urls = [
        one["webhook_configs"][0]["url"] for one in yaml.safe_load(files["alertmanager/alertmanager.yml"])["receivers"]
    ]
    assert urls == [ANSWERS.webhook] * 2
    assert f'{ANSWERS.runbooks}#ftcstoreoutage"' in files["prometheus/rules.yml"]
    for name in ("prometheus/rules.yml", "prometheus/prometheus.yml", "alertmanager/alertmanager.yml"):
        assert yaml.safe_load(files[name])


def test_the_files_are_in_the_package():
    package = Path(__file__).parents[4] / "pytest_ftc/integrations/kit"
    assert {path.stem for path in (package / "dashboards").iterdir()} == set(DASHBOARDS)
