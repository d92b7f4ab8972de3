"""The build time and verdict of an artifact over time."""

import pytest

from pytest_ftc.model import BuildRecord
from pytest_ftc.reporting.terminal.trend import find_trend, render_trend

START = 1_700_000_000.0


def build(session, seconds=1.0, verdict="reproducible", role="control", after=0.0):
    return BuildRecord(
        action="a",
        artifact="ftc.toml::ftc::app",
        project="/project",
        role=role,
        machine="host",
        user="me",
        session=f"s{session}",
        started=START + 86400 * session + after,
        seconds=seconds,
        digest="d",
        verdict=verdict,
    )


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setattr("pytest_ftc.reporting.terminal.trend.time.localtime", __import__("time").gmtime)


def test_each_session_is_a_point_oldest_first():
    builds = [build(2, 3.0), build(1, 9.0, role="experiment", after=2), build(1, 2.0), build(0, role="experiment")]
    found = find_trend(builds)
    assert [(one.started, one.seconds, one.builds) for one in found] == [
        (START, None, 1),
        (START + 86400, 2.0, 2),
        (START + 2 * 86400, 3.0, 1),
    ]


def test_what_has_changed_is_said():
    builds = [build(0, 1.0), build(1, 1.0), build(2, 4.0, "unreproducible"), build(3, 2.0, "unreproducible")]
    assert render_trend("app", find_trend(builds), width=60, colour=False).splitlines() == [
        "✔ reproducible    2023-11-14 22:13       1.0 s  ███",
        "✔ reproducible    2023-11-15 22:13       1.0 s  ███",
        "✘ unreproducible  2023-11-16 22:13       4.0 s  ████████████",
        "✘ unreproducible  2023-11-17 22:13       2.0 s  ██████",
        "  app         ▁▁█▃",
        "  build time  last 2.0 s, +100 % of the median before (1.0",
        "              s; 3 sessions)",
        "  verdict     unreproducible since 2023-11-16 22:13 (2",
        "              sessions), before reproducible",
    ]


def test_of_many_sessions_the_last_are_listed():
    text = render_trend("a\x1b[31m", find_trend([build(number) for number in range(30)]), width=100, colour=False)
    assert text.splitlines()[0] == "  earlier     5 sessions"
    assert text.count("reproducible  ") == 25
    assert "\x1b" not in text


def test_one_session_without_a_control_build():
    text = render_trend("app", find_trend([build(0, role="experiment")]), width=100, colour=False)
    assert "build time  none recorded" in text
