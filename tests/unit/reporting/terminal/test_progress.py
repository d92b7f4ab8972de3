"""The line that tells where the verifications stand."""

import pytest

from pytest_ftc.model.progress import Progress
from pytest_ftc.reporting.terminal.progress import progress_line

STATES = [
    Progress(name="wheel", doing="experiment build", seconds=12.3),
    Progress(name="docs", doing="comparing", seconds=71.0),
    Progress(name="a", doing=""),
    Progress(name="b", doing=""),
]


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (100, "ftc  wheel: experiment build 12 s · docs: comparing 1 min 11 s · 2 waiting"),
        (70, "ftc  wheel: experiment build 12 s · 1 more · 2 waiting"),
        (60, "ftc  wheel: experiment build 12 s · 1 more · 2 waiting"),
        (20, "ftc  wheel: experime"),
    ],
)
def test_it_tells_as_much_as_fits(width, line):
    told = progress_line(STATES, width)
    assert len(told) <= width
    assert told == line


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (120, "ftc  docs: comparing 1 min 11 s · 1 waiting: other sessions or workers of yours hold the build slots"),
        (60, "ftc  docs: comparing 1 min 11 s · 1 waiting"),
    ],
)
def test_it_tells_who_holds_the_slots_if_that_fits(width, line):
    assert progress_line([STATES[1], Progress(name="a", doing="", held_up=True)], width) == line


def test_nothing_but_the_slots_of_others_is_awaited():
    states = [Progress(name=name, doing="", held_up=True) for name in "ab"]
    assert progress_line(states, 80) == "ftc  2 waiting: other sessions or workers of yours hold the build slots"
    assert progress_line(states, 40) == "ftc  2 waiting"


@pytest.mark.parametrize(("states", "line"), [([], ""), (STATES[2:], "ftc  2 waiting")])
def test_where_nothing_is_done(states, line):
    assert progress_line(states, 80) == line


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tests/very/long/folder/test_it.py::test_model", "test_model"),
        ("x" * 50, "x" * 31 + "…"),
        ("a\x1b[2Jb\nc", "a\\x1b[2Jb\\nc"),
        ("包" * 30, "包" * 15 + "…"),
    ],
)
def test_names_are_short_and_harmless(name, told):
    assert progress_line([Progress(name=name, doing="comparing")], 100) == f"ftc  {told}: comparing 0 s"
