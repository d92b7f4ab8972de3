import pytest

from pytest_ftc.model import Verdict
from pytest_ftc.reporting.terminal.style import SYMBOLS, fit_encoding, render, show, show_lines


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\tc\rd", r"a\nb\tc\rd"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("\x9b1m", r"\x9b1m"),
        ("日本 é", "日本 é"),
    ],
)
def test_text_of_a_build_is_shown_on_one_harmless_line(hostile, shown):
    assert show(hostile) == shown


def test_lines_are_joined_and_empty_ones_left_out():
    assert show_lines(" one\n\n two \x1b") == r"one · two \x1b"


def test_every_verdict_has_a_symbol_that_ascii_can_show_too():
    assert set(SYMBOLS) == set(Verdict)
    drawn = "".join(symbol for symbol, _ in SYMBOLS.values()) + "│›…·"
    assert fit_encoding(drawn, "ascii") == "+=xxx!|>~-"


def test_without_colour_nothing_but_the_text_is_written():
    from rich.text import Text

    assert render(Text("red", style="bold red"), 80, colour=False) == "red\n"
    assert render(Text("red", style="bold red"), 80, colour=True).startswith("\x1b[")
