"""Strings of another length, in data in which all that follows them has moved."""

from __future__ import annotations

import random
import struct
import time

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


def offset_of(found: Found) -> int:
    return int(found.location.rpartition("byte ")[2], 16)


def data(*strings: str, table: bytes = TABLE) -> bytes:
    return b"\x7fhead\0\0" + b"".join(f"{text}\0".encode() for text in strings) + table


def test_each_string_is_a_place_though_another_one_has_moved_it():
    one = data("usage: %s [-v]", "/build/a", "no such file", "Nov 29 2026", "end of it")
    other = data("usage: %s [-v]", "/build/elsewhere/b", "no such file", "Jan  2 2028", "end of it")
    path, date = compare(one, other)
    assert (path.control, path.experiment) == (b"/build/a", b"/build/elsewhere/b")
    assert (date.control, date.experiment) == (b"Nov 29 2026", b"Jan  2 2028")
    assert one[offset_of(date) :].startswith(b"Nov")


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


def test_a_table_is_one_place_beside_strings_and_a_few_numbers_are_some():
    number, size = (b"\x7fhead*\x01\x02\0\x1b\0", b"\x7fhead*\x05\x06\0\x2c\0"), ("/build/a", "/build/elsewhere/b")
    few = compare(*(head + data(path, "no such file") for head, path in zip(number, size, strict=True)))
    assert sorted((each.control, each.experiment) for each in few) == [
        (b"\x1b", b"\x2c"),
        (b"/build/a", b"/build/elsewhere/b"),
        (b"\x7fhead*\x01\x02", b"\x7fhead*\x05\x06"),
    ]
    tables = [b"\0\0".join(bytes([x + n, 0x80 + n, 0xFF]) for n in range(5)) + b"\0" for x in (1, 9)]
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
        assert 0 <= offset_of(each) <= len(one)


def test_a_string_has_its_number_in_data_of_the_same_and_of_another_size():
    one = data("usage: %s [-v]", "/build/a", "abc", "Nov 29 2026")
    longer = data("usage: %s [-v]", "/build/elsewhere/b", "abc", "Nov 30 2026")
    same = data("usage: %s [-v]", "/build/b", "abc", "Nov 30 2026")
    places = [[each.location.partition(",")[0] for each in compare(one, other)] for other in (longer, same)]
    assert places == [["string 2", "string 3"]] * 2


def test_a_string_that_its_length_has_moved_before_others_is_still_the_same():
    one = data("20:15:06", "/build/abcdef/main.c", "root", "built by %s", "in %s")
    other = data("20:17:08", "user-b", "/build/elsewhere/abcdef-b/main.c", "built by %s", "in %s")
    assert [(each.control, each.experiment) for each in compare(one, other)] == [
        (b"20:15:06", b"20:17:08"),
        (b"/build/abcdef/main.c", b"/build/elsewhere/abcdef-b/main.c"),
        (b"root", b"user-b"),
    ]
    far = data("/build/elsewhere/abcdef-b/main.c", "usage: %s", "no such file", "x" * 40, "end of it", "the rest")
    near = data("usage: %s", "no such file", "x" * 40, "end of it", "/build/abcdef/main.c", "the rest")
    (found,) = compare(near, far)
    assert (found.control, found.experiment) == (b"/build/abcdef/main.c", b"/build/elsewhere/abcdef-b/main.c")


def test_numbers_beside_a_string_in_data_of_the_same_size_are_places_of_their_own():
    numbers = [bytes([x, 0x80, 0xFF, 0x11]) + bytes(100) + bytes([x + 1, 0xFE]) for x in (1, 9)]
    one, other = data("/build/a", table=numbers[0]), data("/build/b", table=numbers[1])
    found = compare(one, other)
    assert [each.location for each in found] == ["string 1, byte 0xe", "byte 0x10", "byte 0x78"]
    # The string is no part of what is shown of the number after it.
    assert not found[1].control.startswith(b"/")
    assert b"build" not in found[1].control


def test_strings_that_only_stand_in_another_order_are_one_place():
    (found,) = compare(data("abcd", "/x/y/z"), data("/x/y/z", "abcd"))
    assert found.location == "byte 0x7"


def test_times_beside_a_string_that_has_moved_are_still_paired():
    one = data("20:53:18", "Nov 29 2026", "root", "/build/abcdef/program.c", "%s")
    other = data("program.c", "00:00:00", "Jan  1 2020", "root", "%s")
    assert [(each.control, each.experiment) for each in compare(one, other)] == [
        (b"20:53:18", b"00:00:00"),
        (b"Nov 29 2026", b"Jan  1 2020"),
        (b"/build/abcdef/program.c", b"program.c"),
    ]


@pytest.mark.parametrize("other", [b"\0\0\0\0", b"#4{a", b"ab\0c", b"\xff\xfe\x01\x02"])
def test_random_bytes_that_look_like_a_text_are_bytes(other):
    one, two = (b"\xa4\x81\0\0\xac\0\0\0" + value + bytes(100) for value in (b"%aZ!", other))
    assert [found.location for found in compare(one, two)] == ["byte 0x8"]


def test_a_table_whose_numbers_all_differ_is_compared_in_the_time_that_its_size_takes():
    rows = ([(97 + place * step % 26, place * step % 9973, place, -1, 0) for place in range(10000)] for step in (7, 11))
    one, other = (b"".join(struct.pack("<5i", *row) for row in table) for table in rows)
    begin = time.process_time()
    assert compare(b"\1head\0" + one, b"\1head\0" + other)
    assert time.process_time() - begin < 2


def test_a_word_in_data_without_zeros_between_strings_is_a_place_beside_the_length_before_it():
    def marshalled(path: str) -> bytes:
        values = b"".join(struct.pack(">BI", 8, number * 7) + b"\x28nothing else" for number in range(300_000))
        return (
            struct.pack(">4sI", b"\x84\x95\xa6\xbe", len(path))
            + values
            + bytes([len(path)])
            + path.encode()
            + b"\x90\0"
        )

    word, length = compare(one := marshalled("/build/a"), marshalled("/build/elsewhere/b"))
    assert (word.control, word.experiment) == (b"/build/a", b"/build/elsewhere/b")
    assert one[offset_of(word) :] == b"a\x90\0"
    assert offset_of(length) == 7


@pytest.mark.parametrize("size", [5_000, 300_000])
def test_compressed_data_has_no_words_in_common(size):
    one, other = (random.Random(seed).randbytes(size + seed) for seed in (1, 2))
    assert len(compare(one, other)) == 1
