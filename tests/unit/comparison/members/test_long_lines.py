"""Long lines, compared in their parts."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.engine import compare_plain
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.long_lines import Columns, split
from pytest_ftc.comparison.members.position import Position
from pytest_ftc.comparison.members.span import span_of
from pytest_ftc.model import Field, Place

ROWS = "".join(f'{{"id":{number},"text":"row {number}"}},' for number in range(300))
KINDS = ["'GET'", "'PUT'", "'HEAD'", "'TRACE'"]


def page(built: str, folder: str = "/build/a", kinds: list[str] | None = None, rows: str = ROWS) -> str:
    values = f'"folder":"{folder}","kinds":"{{{", ".join(kinds or KINDS)}}}","built":"{built}"'
    return f'<!doctype html><p>\n<script>var data = {{{values},"rows":[{rows}],"last":"{folder}"}};\n</script>\n'


def compare(one: str, other: str, name: str = "page.html") -> list[Place]:
    sides = (span_of(text.encode()) for text in (one, other))
    return list(compare_plain(*sides, Position(name=name), Budget(Limits())))


def locations(one: str, other: str) -> list[str]:
    return [place.location for place in compare(one, other)]


def part_of(location: str) -> str:
    return re.findall(r"part \d+|order", location)[-1]


def test_each_part_of_a_long_line_that_differs_is_a_place():
    one, other = page("2026-11-30 10:00", "/build/a"), page("2028-01-02 11:30", "/build/elsewhere/b")
    folder, built, last = compare(one, other)
    assert [place.control for place in (folder, built, last)] == [
        b'"folder":"/build/a"', b'"built":"2026-11-30 10:00"', b'"last":"/build/a"'
    ]  # fmt: skip
    line = one.splitlines()[1]
    for place in (folder, built, last):
        column = re.fullmatch(r"line 2, column (\d+) \(part \d+\)", place.location)
        assert column
        assert line[int(column[1]) - 1 :].startswith(place.control.decode())


def test_columns_are_counted_in_characters():
    (place,) = compare(page("10:00", "/Bücher/日本"), page("11:00", "/Bücher/日本"))
    column = int(re.findall(r"column (\d+)", place.location)[0])
    assert page("10:00", "/Bücher/日本").splitlines()[1][column - 1 :].startswith('"built"')
    assert Columns("äöü,x".encode()).at(7) == 5


def test_parts_in_another_order_are_one_place():
    order, built = compare(page("10:00"), page("11:00", kinds=KINDS[::-1]))
    assert (order.field, order.location) == (Field.ORDER, "line 2, order of parts")
    assert order.control == b"'GET', 'PUT', 'HEAD', 'TRACE'"
    assert order.experiment == b"'TRACE', 'HEAD', 'PUT', 'GET'"
    assert built.field is Field.CONTENT


def test_the_number_of_a_part_is_the_same_whatever_the_length_of_what_is_before_it():
    apart = [locations(page("10:00", folder), page("11:00", folder)) for folder in ("/a", "/build/much/longer")]
    assert apart[0] != apart[1]
    assert len({part_of(location) for each in apart for location in each}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("30 Nov 2026, 10:00", "2 Jan 2028, 11:30"), ("Mon, 30 Nov 2026", "Sun, 02 Jan 2028"), ("30. 11", "2. 1")],
)
def test_a_date_is_one_part(one, other):
    (place,) = compare(page(one), page(other))
    assert one.encode() in place.control


def test_a_line_of_which_no_part_differs_is_one_place():
    assert locations(page("10:00"), page("10:00").replace("},{", "} , {")) == ["line 2"]


def test_a_short_line_is_one_place():
    assert locations(page("10:00", rows=""), page("11:00", "/b", rows="")) == ["line 2"]


def test_what_only_one_side_has_is_a_place():
    (place,) = compare(page("10:00"), page('10:00","more":"1'))
    assert (place.control, place.experiment) == (b"", b'"more":"1"')


def test_many_parts_are_listed_by_kind():
    numbers = [f"a{number}" for number in range(900)]
    one, other = ([f"{each}={step * 7}" for each in numbers] for step in (1, 2))
    one[700], other[700] = "/build/a", "/build/b"
    found = compare(*(f"var x=[{','.join(side)}];\n" for side in (one, other)))
    assert len(found) == 16
    assert any(place.control == b"/build/a" for place in found)


def test_the_beginning_of_a_very_long_line_is_found():
    one, other = (f'head\n{ROWS * 20}"built":"{time}",{ROWS}\n' for time in ("10:00", "11:00"))
    (place,) = compare(one, other)
    assert place.location == f"line 2, column {len(ROWS) * 20 + 1} (part {6000 * 2 + 1})"


def test_long_texts_in_json_and_xml_are_compared_in_their_parts():
    one, other = (f"x = {{{ROWS} at {time}}}, y = {folder};" for time, folder in (("10:00", "/a"), ("11:00", "/b")))
    dumped = compare(json.dumps({"script": one}), json.dumps({"script": other}), "x.json")
    assert [place.location.partition(",")[0] for place in dumped] == ["key script"] * 2
    xml = compare(*(f"<?xml version='1.0'?><svg><style>\n{text}</style></svg>" for text in (one, other)), "x.svg")
    assert [place.location.partition(", column")[0] for place in xml] == ["element /svg/style, line 2"] * 2
    assert all("(part " in place.location for place in [*dumped, *xml])


@given(st.binary(max_size=300))
def test_parts_are_where_they_are_said_to_be(line):
    for part in split(line):
        assert part.text == line[part.start : part.end]
        assert part.text == part.text.strip() != b""
