"""The game day without its servers: what is told of alerts, and what is missing."""

import argparse
import http.server
import json
import math
import re
import signal
import subprocess
import threading
import urllib.request
from dataclasses import replace

import pytest

from pytest_ftc.cli.kit.game_day import describe, rehearse
from pytest_ftc.integrations.kit.alerts import make_alerts
from pytest_ftc.integrations.kit.game_day import faults as faults_module
from pytest_ftc.integrations.kit.game_day import play as play_module
from pytest_ftc.integrations.kit.game_day.build_faults import _kill_one
from pytest_ftc.integrations.kit.game_day.fault import Fault
from pytest_ftc.integrations.kit.game_day.faults import FAULTS, require_extras
from pytest_ftc.integrations.kit.game_day.play import GameDay, Outcome
from pytest_ftc.integrations.kit.game_day.servers import Running, find_programs
from pytest_ftc.integrations.kit.game_day.watch import Notice, Remote, Webhook, listening, wait_for
from pytest_ftc.integrations.kit.targets import Targets
from pytest_ftc.model.errors import FtcError

NOTICE = Notice(fires=True, severity="page", runbook="https://example.org/r#a")


def message(status, artifact):
    labels = {"alertname": "Alert", "project": "shop", "artifact": artifact, "severity": "page"}
    return {"alerts": [{"status": status, "labels": labels, "annotations": {"runbook_url": NOTICE.runbook}}]}


def test_faults_raise_every_alert_once_and_have_names_of_their_own():
    severities = {alert.name: alert.severity for alert in make_alerts(Targets())}
    assert sorted(alert for fault in FAULTS for alert in fault.alerts) == sorted(severities)
    # A page makes the tickets of its project silent.
    assert [len({severities[alert] for alert in fault.alerts}) for fault in FAULTS] == [1] * len(FAULTS)
    assert [fault.name for fault in FAULTS][:10] == [f"F{number}" for number in range(1, 11)]
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


class Memory:
    """Says what is known of alerts."""

    def __init__(self, **known):
        self.known = known

    def look(self, alert, project):
        assert project == "game-day-two"
        return self.known.get(alert)


def play(tmp_path, watch, **steps):
    fault = Fault(name="two", title="two alerts", alerts=("One", "Two"), **steps)
    running = Running(pushgateway="", prometheus="", alertmanager="")
    day = GameDay(folder=tmp_path, running=running, watch=watch, slots=threading.Semaphore())
    return day.play([fault], lambda outcome: None)


def test_a_fault_has_an_outcome_for_each_of_its_alerts(tmp_path):
    watch = Memory(One=replace(NOTICE, last=-math.inf))

    def inject(ground):
        watch.known = {"One": replace(NOTICE, last=math.inf, fires=False), "Two": replace(NOTICE, last=math.inf)}

    def repair(ground):
        watch.known["Two"] = replace(NOTICE, fires=False)

    outcomes = play(tmp_path, watch, prepare=lambda ground: None, inject=inject, repair=repair)
    assert [(one.alert, one.passed, one.notice.fires) for one in outcomes] == [
        ("One", True, False),
        ("Two", True, True),
    ]


def test_an_alert_that_does_not_fire_or_end_has_not_passed(tmp_path, monkeypatch):
    monkeypatch.setattr(play_module, "_PATIENCE", 0)
    watch = Memory(One=replace(NOTICE, last=math.inf), Two=replace(NOTICE, last=-math.inf))
    calls = []
    outcomes = play(tmp_path, watch, prepare=calls.append, inject=calls.append, repair=calls.append)
    assert [(one.alert, one.fired is None, one.ended, one.passed) for one in outcomes] == [
        ("One", False, None, False),
        ("Two", True, None, False),
    ]
    assert len(calls) == 3


def test_a_fault_that_cannot_be_injected_says_why_for_each_alert(tmp_path):
    def inject(ground):
        raise OSError("no such thing")

    outcomes = play(tmp_path, Memory(), prepare=lambda ground: None, inject=inject, repair=inject)
    assert [(one.alert, one.passed, one.said) for one in outcomes] == [
        ("One", False, ["no such thing"]),
        ("Two", False, ["no such thing"]),
    ]


def test_an_alert_fires_as_long_as_that_of_one_artifact_does():
    webhook = Webhook()
    with listening(webhook) as url:
        for status, artifact in (("firing", "one"), ("firing", "two"), ("resolved", "one")):
            urllib.request.urlopen(url, json.dumps(message(status, artifact)).encode()).close()
            assert webhook.look("Alert", "shop") == NOTICE
        urllib.request.urlopen(url, json.dumps(message("resolved", "two")).encode()).close()
        assert webhook.look("Alert", "shop") == replace(NOTICE, fires=False)
    assert webhook.look("Alert", "another") is None


def test_a_build_is_killed_while_it_runs():
    over = threading.Event()
    with subprocess.Popen(["sleep", "60.0471100"]) as sleeping:
        _kill_one(b"sleep\x0060.0471100\0", over)
    assert sleeping.returncode == -signal.SIGKILL
    over.set()
    _kill_one(b"sleep\x0060.0471100\0", over)


class Manager(http.server.BaseHTTPRequestHandler):
    alerts: list[dict[str, object]]

    def do_GET(self):
        assert self.path == "/api/v2/alerts"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(self.alerts).encode())

    def log_message(self, *_):
        pass


def test_an_alert_that_another_alertmanager_lists_no_more_has_ended():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Manager) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        watch = Remote(f"http://127.0.0.1:{server.server_port}/")
        Manager.alerts = []
        assert watch.look("Alert", "shop") is None
        Manager.alerts = message("active", "one")["alerts"]
        assert watch.look("Alert", "shop") == NOTICE
        assert watch.look("Alert", "another") is None
        Manager.alerts = []
        assert watch.look("Alert", "shop") == replace(NOTICE, fires=False)
        server.shutdown()
    with pytest.raises(FtcError, match=r"Alertmanager at http://127\.0\.0\.1:\d+: .*refused"):
        watch.look("Alert", "shop")


def test_nobody_waits_longer_than_for_the_day():
    stopping = threading.Event()
    assert wait_for(lambda: True, 0, stopping)
    assert not wait_for(lambda: False, 0, stopping)
    stopping.set()
    assert not wait_for(lambda: False, 3600, stopping)


def test_all_missing_programs_are_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "pushgateway").write_text("#!/bin/sh\n")
    (tmp_path / "pushgateway").chmod(0o755)
    with pytest.raises(FtcError, match="needs prometheus, prometheus-alertmanager, which") as caught:
        find_programs(["pushgateway", "prometheus", "alertmanager"])
    assert "apt-get install --no-install-recommends prometheus prometheus-alertmanager" in str(caught.value)
    assert find_programs(["pushgateway"]) == {"pushgateway": str(tmp_path / "pushgateway")}


def test_missing_extras_are_named(monkeypatch):
    require_extras(FAULTS)
    monkeypatch.setattr(faults_module, "find_spec", lambda name: None)
    with pytest.raises(FtcError, match=r"pip install 'pytest-ftc\[prometheus,sign,oci\]'"):
        require_extras(FAULTS)
    with pytest.raises(FtcError, match=r"pip install 'pytest-ftc\[prometheus\]'"):
        require_extras(FAULTS[:1])


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        ({"fired": 3.2, "ended": 1.0, "notice": NOTICE}, "✔ F1 .* fired after 3 s, ended after 1 s  https://example"),
        ({"fired": 3.2, "ended": 1.0, "notice": replace(NOTICE, runbook="")}, "✘ F1  .* without runbook$"),
        ({"fired": 3.2, "notice": NOTICE}, "✘ F1  .* fired after 3 s, and did not end when the fault was repaired$"),
        ({}, "✘ F1  .*FtcMismatchInCriticalArtifact did not fire$"),
    ],
)
def test_one_line_says_what_became_of_a_fault(outcome, line):
    assert re.match(line, describe(Outcome(fault=FAULTS[0], alert=FAULTS[0].alerts[0], **outcome)))


def test_unknown_faults_and_folders_that_are_in_use_are_refused(tmp_path):
    (tmp_path / "file").touch()
    given = {"folder": tmp_path, "json": False, "url_of_runbooks": "", "alertmanager": None}
    with pytest.raises(FtcError, match=r"there is no fault 'F11'; did you mean 'F1'"):
        rehearse(argparse.Namespace(fault=["F11"], **given))
    with pytest.raises(FtcError, match="is not empty"):
        rehearse(argparse.Namespace(fault=["F1"], **given))
