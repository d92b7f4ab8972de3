"""The phases of an artifact on the page."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.reporting.html.waterfall import waterfall

ROOT = "0" * 15 + "1"


def phase(number: int, kind: PhaseKind, started: float, seconds: float, parent: str = ROOT, **more) -> Phase:
    given = {"name": f"app-{number}", "attributes": {}, "problem": "", **more}
    return Phase(id=f"{number:016}", parent=parent, kind=kind, started=started, seconds=seconds, **given)


def draw(*phases: Phase) -> str:
    whole = Phase(id=ROOT, parent="f" * 16, kind=PhaseKind.ARTIFACT, name="app", started=100, seconds=10)
    return "".join(waterfall(replace(verification(Verdict.REPRODUCIBLE), phases=(*phases, whole))))


def rows(page: str) -> list[str]:
    return [re.sub("<[^>]*>", "", row).strip() for row in re.findall(r'<span class="name".*?</span>', page)]


def test_a_build_is_one_row_with_its_waits_and_its_commands():
    command = {"command_started": 105.0, "command_seconds": 4.0}
    build = phase(2, PhaseKind.BUILD, 101, 8.5, name="app-control")
    attempt = phase(3, PhaseKind.ATTEMPT, 101, 8.5, build.id, attributes=command)
    page = draw(
        phase(4, PhaseKind.SETUP, 101, 1, attempt.id),
        phase(5, PhaseKind.GAP, 102, 2, attempt.id),
        phase(6, PhaseKind.QUEUE, 104, 0.001, attempt.id),
        attempt,
        build,
    )
    assert rows(page) == ["app-control setup 1.00, gap 2.00, build 4.00"]
    places = re.findall(r'<i class="(\S+)" style="left:([\d.]+)%;width:([\d.]+)%"', page)
    assert places == [
        ("under", "10.00", "85.00"),
        ("at-setup", "10.00", "10.00"),
        ("at-gap", "20.00", "20.00"),
        ("at-build", "50.00", "40.00"),
    ]
    assert re.findall(r'<i class="at-(\w+)"></i>', page) == ["setup", "gap", "build"]


@pytest.mark.parametrize(("started", "place"), [(-3600, ("0.00", "0.00")), (3600, ("100.00", "0.00"))])
def test_a_command_by_a_clock_that_is_off_stays_on_the_axis(started, place):
    build = phase(2, PhaseKind.BUILD, 101, 8.5)
    command = {"command_started": 105.0 + started, "command_seconds": 4.0}
    page = draw(phase(3, PhaseKind.ATTEMPT, 101, 8.5, build.id, attributes=command), build)
    assert re.findall(r'class="at-build" style="left:([^%]+)%;width:([^%]+)%"', page) == [place]


def test_phases_are_in_the_order_of_their_begins_and_show_what_encloses_them():
    diagnosis = phase(9, PhaseKind.DIAGNOSE, 105, 4)
    page = draw(
        phase(3, PhaseKind.STORE_PUT, 109, 1),
        phase(2, PhaseKind.BUILD, 106, 1, diagnosis.id, name="app-repeat-1"),
        diagnosis,
        phase(4, PhaseKind.PLAN, 100, 1),
        phase(5, PhaseKind.COMPARE, 104, 0.001),
    )
    assert rows(page) == ["plan", "diagnose", "app-repeat-1", "store put"]
    assert re.findall(r"padding-left:(\d)em", page) == ["0", "0", "1", "0"]


def test_a_failure_is_said_in_words():
    assert rows(draw(phase(2, PhaseKind.PREPARE, 100, 0, problem="PreparationError"))) == ["prepare PreparationError"]


@given(st.text(), st.text(max_size=90))
def test_hostile_names_stay_text(name, problem):
    page = draw(phase(2, PhaseKind.BUILD, 101, 1, name=f"<script>{name}", problem=f'"><img src=x>{problem}'))
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", page)


def test_many_builds_stay_usable():
    page = draw(*(phase(number, PhaseKind.BUILD, 100 + number / 100, 1) for number in range(2, 1002)))
    assert len(rows(page)) == 100
    assert "and 900 more in report.json" in page
    assert len(page) < 60_000


@pytest.mark.parametrize("phases", [(), (phase(2, PhaseKind.PLAN, 100, 0.001),)])
def test_nothing_is_drawn_where_nothing_took_time(phases):
    one = replace(verification(Verdict.REPRODUCIBLE), phases=phases)
    assert list(waterfall(one)) == []


def test_clocks_that_are_set_back_leave_bars_in_their_row():
    page = draw(phase(2, PhaseKind.BUILD, 50, 1), phase(3, PhaseKind.PLAN, 300, 1))
    for left, width in re.findall(r"left:([-\d.]+)%;width:([-\d.]+)%", page):
        assert 0 <= float(left) <= 100.01
        assert 0 <= float(left) + float(width) <= 100.02
