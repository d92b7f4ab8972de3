"""Strings of another length, in data in which all that follows them has moved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.shifted import compare_data
from pytest_ftc.comparison.members.span import span_of

TABLE = bytes(range(1, 32)) * 3


def compare(one: bytes, other: bytes) -> list[Found]:
    return list(compare_data(span_of(one), span_of(other), Budget(Limits())))


def data(*strings: str, table: bytes = TABLE) -> bytes:
    return b"\x7fhead\0\0" + b"".join(f"{text}\0".encode() for text in strings) + table


def test_each_string_is_a_place_though_another_one_has_moved_it():
    one = data("usage: %s [-v]", "/build/a", "no such file", "Nov 29 2026", "end of it")
    other = data("usage: %s [-v]", "/build/elsewhere/b", "no such file", "Jan  2 2028", "end of it")
    path, date = compare(one, other)
    assert (path.control, path.experiment) == (b"/build/a", b"/build/elsewhere/b")
    assert (date.control, date.experiment) == (b"Nov 29 2026", b"Jan  2 2028")
    assert one[int(date.location.removeprefix("byte "), 16) :].startswith(b"Nov")


def test_a_string_that_only_one_side_has_is_a_place():
    one, other = data("host-a", "", "constructed %s", "x"), data("host-b", "user-b", "constructed %s", "x")
    assert [(each.control, each.experiment) for each in compare(one, other)] == [
        (b"host-a", b"host-b"),
        (b"", b"user-b"),
    ]


def test_what_only_one_side_has_is_at_the_same_place_whatever_else_differs():
    texts = ["host-a", "constructed %s", "x"]
    both, alone = (data(host, "", "user-b", "constructed %s", "longer") for host in ("host-b", "host-a"))
    places = [{each.location for each in compare(data(*texts), other)} for other in (both, alone)]
    assert places[1] < places[0]


def test_paths_with_a_common_start_are_one_place_though_other_strings_come_and_go():
    one = data("/ftc-build-zrmfkk/instrumented", "no such file", table=b"")
    other = data("new", "/ftc-build-fzdkjj/elsewhere/instrumented-fzdkjj", "no such file", table=b"")
    assert (b"/ftc-build-zrmfkk/instrumented", b"/ftc-build-fzdkjj/elsewhere/instrumented-fzdkjj") in [
        (each.control, each.experiment) for each in compare(one, other)
    ]


def test_padding_is_no_difference():
    one = data("/build/a", "\0\0", "a long message: %s", "\0", "another one", "2026-11-29")
    other = data("/build/elsewhere/b", "a long message: %s", "\0\0\0", "another one", "2028-01-02")
    assert [each.control for each in compare(one, other)] == [b"/build/a", b"2026-11-29"]


def test_what_is_no_string_is_one_place_beside_them():
    tables = [bytes([x, 0x80, 0xFF, 0, 0x11, x, 0x90]) + TABLE + bytes([x + 1, 0xFE, 0]) for x in (1, 9)]
    one = data("/build/a", "no such file", table=tables[0])
    other = data("/build/elsewhere/b", "no such file", table=tables[1])
    path, rest = compare(one, other)
    assert path.control == b"/build/a"
    assert b"\x80" in rest.control


@pytest.mark.parametrize(
    ("one", "other"),
    [(bytes(range(200)) * 2, bytes(range(201)) * 2), (data("a"), data("bcd")), (b"", b"\0abc\0def")],
)
def test_without_strings_there_is_one_place(one, other):
    (found,) = compare(one, other)
    assert found.control in one
    assert found.experiment in other


@given(*[st.lists(st.sampled_from(["", "abcd", "/x/y/z", "2026", "\x01\x02", "é"]), max_size=12)] * 2)
def test_what_differs_is_found(ours, theirs):
    one, other = data(*ours), data(*theirs)
    found = compare(one, other)
    assert bool(found) == (one != other)
    for each in found:
        assert each.control != each.experiment
        position = int(each.location.removeprefix("byte "), 16)
        assert 0 <= position <= len(one)
