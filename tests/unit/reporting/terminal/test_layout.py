"""Rows of text that is to be copied."""

import pytest

from pytest_ftc.reporting.terminal.layout import command_row, render_lines, row_to_copy
from pytest_ftc.reporting.terminal.style import Page

PAGE = Page(width=40, colour=False)
LONG = "x" * 60


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 26, f"  outputs     {'x' * 26}\n"),
        ("x" * 27, f"  outputs\n    {'x' * 27}\n"),
        (LONG, f"  outputs\n    {LONG}\n"),
    ],
)
def test_text_that_is_too_wide_is_indented_on_a_line_of_its_own_and_never_broken(text, expected):
    assert render_lines(PAGE, [row_to_copy(PAGE, "outputs", text)]) == expected


def test_a_command_with_a_long_word_is_indented_below_its_label():
    shown = render_lines(PAGE, [command_row(PAGE, "again", f"pytest --ftc-verify {LONG} -v")])
    assert shown == f"  again\n    pytest --ftc-verify \\\n    {LONG} \\\n    -v\n"
