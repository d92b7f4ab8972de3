"""Lines that moved, and which of many lines are listed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.lines import Texts, compare_lines
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.span import span_of
from pytest_ftc.model import Field

ROWS = [f"<tr><td>row number {number}</td></tr>" for number in range(40)]
DATED = ["November 29, 2026", "January 2, 2028"]


def compare(one: list[str], other: list[str], texts: Texts | None = None) -> list[Found]:
    sides = (span_of("".join(f"{line}\n" for line in lines).encode()) for lines in (one, other))
    return list(compare_lines(*sides, Budget(Limits()), texts or Texts()))


def swapped(rows: list[str], *places: int) -> list[str]:
    """Return `rows` with that of each place after the two that follow it."""
    rows = list(rows)
    for place in places:
        rows.insert(place + 2, rows.pop(place))
    return rows


@pytest.mark.parametrize("places", [(10,), (10, 30), (3,)])
def test_rows_that_moved_are_one_place_beside_those_that_differ(places):
    order, date = compare([DATED[0], *ROWS], [DATED[1], *swapped(ROWS, *places)])
    assert (date.field, date.location) == (Field.CONTENT, "line 1")
    assert (order.field, order.location) == (Field.ORDER, "line order")
    assert sorted(order.control.splitlines()) == sorted(order.experiment.splitlines())
    assert order.control != order.experiment
    assert ROWS[0].encode() not in order.control


@pytest.mark.parametrize("order", [(1, 0), (2, 0, 1), (0, 2, 1), (3, 1, 2, 0)])
def test_rows_that_moved_directly_below_a_line_that_differs_are_one_place(order):
    rows = [ROWS[number] for number in order]
    moved, date = compare([DATED[0], *ROWS[: len(rows)], "end"], [DATED[1], *rows, "end"])
    assert (date.field, date.location, date.control) == (Field.CONTENT, "line 1", f"{DATED[0]}\n".encode())
    assert (moved.field, moved.location) == (Field.ORDER, "line order")
    assert sorted(moved.control.splitlines()) == sorted(moved.experiment.splitlines())


def test_a_bracket_that_stands_elsewhere_has_not_moved():
    one = [DATED[0], "a {", "}", "b = 1", "c = 2", "d", "e"]
    other = [DATED[1], "a {", "b = 1", "}", "c = 2", "d", "e"]
    assert Field.ORDER not in [each.field for each in compare(one, other)]


def test_a_row_that_only_one_side_has_is_content():
    (found,) = compare(ROWS, ROWS[:20] + ROWS[21:])
    assert (found.field, found.location, found.experiment) == (Field.CONTENT, "line 21", b"")


def test_texts_without_an_order_do_not_move():
    found = compare([DATED[0], *ROWS], [DATED[1], *swapped(ROWS, 10)], Texts(unordered=True))
    assert [each.field for each in found] == [Field.CONTENT]


def test_of_many_lines_each_kind_is_listed():
    paths = [[f"  // /build-{side}/icons/{number}.svg" for number in range(30)] for side in "ab"]
    tables = [[f"  0x0,0x0,0x1,{number:#x},0x{side}1" for number in range(30)] for side in "45"]
    sides = ([line for row in (*a, *b) for line in (row, "same")] for a, b in zip(paths, tables, strict=True))
    numbers = [int(each.location.removeprefix("line ")) for each in compare(*sides)]
    assert numbers == [*range(1, 31, 2), 61]


def test_lines_that_differ_are_listed_before_those_that_blocks_in_another_order_leave():
    heads = [["# Translations", f"# Copyright {year}", "# file", f"# FIRST, {year}."] for year in (2026, 2028)]
    blocks = [[f"#: {number}.py", f'msgid "{number}"', f"{chr(97 + number % 26)} {number}"] for number in range(60)]
    less = [block[:2] if number % 3 else block for number, block in enumerate(blocks)]
    one, other = (
        [*head, *(line for row in rows for line in row)]
        for head, rows in zip(heads, (blocks, swapped(less, 3, 30)), strict=True)
    )
    found = compare(one, other)
    assert len(found) == 17
    assert [each.location for each in found[:3]] == ["line order", "line 2", "line 4"]


@given(st.permutations(range(12)), st.booleans())
def test_nothing_that_differs_is_lost(order, dated):
    one, other = [DATED[0], *ROWS[:12]], [DATED[dated], *(ROWS[number] for number in order)]
    found = compare(one, other)
    assert bool(found) == (one != other)
    seen = b"".join(each.control + each.experiment for each in found)
    assert all(line.encode() in seen for line in set(one) ^ set(other))


def test_many_lines_that_each_have_a_counterpart_are_told_one_by_one():
    days = [[f"lib/rake/file-{number}.rb\t{day}" for number in range(40)] for day in ("2002-02-02", "2000-12-27")]
    sides = ([f"Sun, 29 Nov {year} 17:43:14", *rows] for year, rows in zip((2026, 2028), days, strict=True))
    found = compare(*sides)
    assert [each.location for each in found] == [f"line {number}" for number in range(1, 17)]
    unlike = [[f"{side * (number + 3)}" for number in range(40)] for side in "ab"]
    assert [each.location for each in compare(*unlike)] == ["line 1"]
