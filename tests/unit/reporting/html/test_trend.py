"""Earlier sessions on the page."""

from __future__ import annotations

import re

from pytest_ftc.reporting.html.trend import trend
from pytest_ftc.reporting.terminal.trend import TrendPoint


def drawn(*verdicts: str) -> str:
    points = [
        TrendPoint(started=1e9 + number, seconds=1.0 + number, verdict=verdict, machine="<host>", builds=2)
        for number, verdict in enumerate(verdicts)
    ]
    return "".join(trend(points))


def test_one_session_is_no_trend() -> None:
    assert drawn("reproducible") == "" == drawn()


def test_each_session_has_a_bar_as_high_as_its_build_took_long() -> None:
    text = drawn("reproducible", "unreproducible", "reproducible", "unheard-of")
    bars = re.findall('<i class="([a-z]+)" title="([^"]*)" style="height:([0-9]+)%"></i>', text)
    assert [(style, height) for style, _, height in bars] == [
        ("reproducible", "25"), ("unreproducible", "50"), ("reproducible", "75"), ("none", "100"),
    ]  # fmt: skip
    assert bars[1][1].endswith(": unreproducible, 2.0 s, &lt;host&gt;")
    assert "4 sessions built it, 2 of them reproducible" in text
    assert "a build takes 2.5 s (median)" in text


def test_it_is_said_since_when_the_verdict_is_another_one() -> None:
    assert re.search(
        "3 of them reproducible; unreproducible since 2001-09-0[89]",
        drawn(*["reproducible"] * 3, *["unreproducible"] * 2),
    )
    assert "since" not in drawn("reproducible", "reproducible")


def test_many_sessions_are_counted_and_the_last_ones_drawn() -> None:
    text = drawn(*["reproducible"] * 300)
    assert "300 sessions built it, 300 of them reproducible" in text
    assert text.count("<i ") == 60
