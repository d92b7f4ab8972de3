"""The end of a build's log on the screen."""

from pytest_ftc.reporting.terminal.log import tail_rows
from pytest_ftc.reporting.terminal.style import Page


def test_the_last_rows_are_shown():
    log = "".join(f"line {number}\n" for number in range(30))
    assert tail_rows(Page(width=80, colour=False), log, 3) == ["line 27", "line 28", "line 29"]
    assert tail_rows(Page(width=80, colour=False), "\n", 3) == []


def test_the_last_line_is_whole_even_if_it_has_more_rows():
    message = "error: " + " ".join(f"word{number}" for number in range(300))
    rows = tail_rows(Page(width=80, colour=False), f"before\n{message}\n", 8)
    assert " ".join(rows).split() == message.split()


def test_a_line_of_data_does_not_fill_the_screen():
    rows = tail_rows(Page(width=80, colour=False), "x" * 100_000 + "END", 8)
    assert len(rows) < 60
    assert rows[-1].endswith("END")
