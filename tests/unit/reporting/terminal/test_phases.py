"""Where the time went, and how much was built, on the terminal."""

from dataclasses import replace

import pytest
from samples import verification

from pytest_ftc.model import Verdict
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.model.timing.work import Work
from pytest_ftc.reporting.terminal.phases import describe_work
from pytest_ftc.reporting.terminal.style import fit_encoding
from pytest_ftc.reporting.terminal.summary import summary_lines


def timed(**seconds: float):
    phases = [
        Phase(id=f"{number:016}", parent="f" * 16, kind=PhaseKind(name), name="", started=1.0, seconds=value)
        for number, (name, value) in enumerate(seconds.items(), start=1)
    ]
    return replace(verification(Verdict.REPRODUCIBLE), phases=tuple(phases))


def bars(text: str) -> dict[str, str]:
    words = [
        line.removeprefix("  time").split() for line in text.splitlines() if " s" in line and line.startswith("  ")
    ]
    return {one[0]: "".join(one[3:]) for one in words if one[1:3] and one[2] == "s"}


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_each_phase_has_a_bar_as_long_as_it_took(width):
    text = summary_lines([timed(build=30, gap=15, setup=0.4, queue=0.01)], width=width, colour=False, verbose=True)
    assert all(len(line) <= max(width, 40) for line in text.splitlines())
    found = bars(text)
    assert list(found) == ["setup", "gap", "build", "compare", "diagnose", "store"]
    assert found["compare"] == found["store"] == ""
    assert abs(len(found["build"]) - 2 * len(found["gap"])) <= 1
    assert len(found["build"]) <= 40


def test_the_seconds_of_all_artifacts_add_up_and_what_took_long_is_shown_too():
    text = summary_lines([timed(prepare=2, build=1), timed(build=2)], width=80, colour=False, verbose=True)
    assert "prepare   2.0 s" in text
    assert "build     3.0 s" in text


def test_it_is_shown_only_to_who_asks_and_only_where_there_are_phases():
    assert "setup" not in summary_lines([timed(build=1)], width=80, colour=False, verbose=False)
    without = summary_lines([verification(Verdict.REPRODUCIBLE)], width=80, colour=False, verbose=True)
    assert "setup" not in without


def test_it_is_plain_where_only_ascii_is():
    text = fit_encoding(summary_lines([timed(build=1)], width=80, colour=False, verbose=True), "ascii")
    assert text.isascii()
    assert "####" in text


@pytest.mark.parametrize("verbose", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_the_number_of_builds_is_always_said(verbose, count):
    cached = replace(timed(), cached=True)
    text = summary_lines([cached] * count, width=80, colour=False, verbose=verbose)
    assert f"  builds      0 run, {2 * count} reused, 0 retried; the cache saved {2.5 * count:.1f} s\n" in text


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (31.4, "31 s"),
        (99.4, "99 s"),
        (125, "2 min 5 s"),
        (7384, "2 h 3 min"),
    ],
)
def test_the_seconds_saved_are_said_in_units_that_fit(seconds, said):
    work = Work(run=12, reused=4, retried=1, saved_seconds=seconds)
    assert describe_work(work) == f"12 run, 4 reused, 1 retried; the cache saved {said}"


@pytest.mark.parametrize("verbose", [True, False])
def test_who_wants_to_see_more_sees_the_trace_once(verbose):
    one = replace(timed(build=1), trace_id="4bf92f3577b34da6a3ce929d0e0e4736")
    text = summary_lines([one, replace(one, id="other")], width=80, colour=False, verbose=verbose)
    assert text.count("trace       4bf92f3577b34da6a3ce929d0e0e4736") == verbose
