"""Diffs side by side."""

from __future__ import annotations

import difflib
import re
from html import unescape

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.reporting.html.sides import mark_difference, side_by_side

LINES = st.lists(st.text("ab-+@ │", max_size=4), max_size=12)
CELL = re.compile(r'<div(?: class="(\w+)")?>(.*?)</div>')


def plain(markup: str) -> str:
    return unescape(re.sub("<.*?>", "", markup))


def columns(lines: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return the lines of the left and the right column, and the headings."""
    left, right, headings = [], [], []
    cells = CELL.findall("".join(side_by_side(lines)))
    while cells:
        style, content = cells.pop(0)
        if style == "whole":
            headings.append(plain(content))
            continue
        other_style, other = cells.pop(0)
        left += [] if style == "none" else [plain(content)]
        right += [] if other_style == "none" else [plain(other)]
    return left, right, headings


@given(LINES, LINES)
def test_each_side_has_the_lines_of_its_file(one, other):
    diff = list(difflib.unified_diff(one, other, "one", "other", n=100, lineterm=""))
    left, right, headings = columns(diff)
    assert (left, right) == ((one, other) if diff else ([], []))
    assert all(each.startswith("@@") for each in headings)


@given(st.text(), st.text())
def test_what_is_marked_is_all_that_differs(one, other):
    marked = [re.fullmatch("(.*?)<mark>(.*)</mark>(.*)", str(each), re.DOTALL) for each in mark_difference(one, other)]
    assert all(marked)
    left, right = (found.groups() for found in marked)  # type: ignore[union-attr]
    assert (left[0], left[2]) == (right[0], right[2])
    assert (left[1], right[1]) == ("", "") or one != other


def test_a_tree_of_diffs_keeps_its_branches_as_headings():
    lines = ["--- a", "+++ b", "├── list", "│ │ @@ -1 +1,2 @@", "│ │ --rw- x", "│ │ +drwx x", "│ │ +more", "│ │  same"]
    left, right, headings = columns(lines)
    assert (left, right) == (["-rw- x", "same"], ["drwx x", "more", "same"])
    assert headings == ["├── list", "│ │ @@ -1 +1,2 @@"]
