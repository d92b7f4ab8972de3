"""Bytes and lines without a known inside."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.lines import Texts, compare_lines
from pytest_ftc.comparison.members.plain import clip, compare_bytes, is_text
from pytest_ftc.comparison.members.span import span_of
from pytest_ftc.model import Field


def bytes_of(one: bytes, other: bytes):
    budget = Budget(Limits())
    return list(compare_bytes(span_of(one), span_of(other), budget)), budget


def lines_of(one: bytes, other: bytes):
    return [
        (found.location, found.control, found.experiment)
        for found in compare_lines(span_of(one), span_of(other), Budget(Limits()))
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Änderungen für später\n" * 9, "iso8859-1"),
        ("日付 2026-11-30, 更新\n" * 9, "euc_jp"),
        ("日付 2026\n" * 19, "iso2022_jp"),
    ],
)
def test_lines_in_an_older_encoding_are_text(text, encoding):
    assert is_text(span_of(text.encode(encoding)))


@pytest.mark.parametrize(
    "data",
    [
        "é\n".encode("latin-1"),
        b"\n" + bytes(range(0xA0, 0xFF)) * 2,
        b"abc\n\x01\xe9" + b"a" * 190,
        b"\xe9" + b"a" * 190,
    ],
)
def test_what_may_be_anything_is_none(data):
    assert not is_text(span_of(data))


def test_random_bytes_are_none():
    generator = random.Random(7)
    assert not any(is_text(span_of(generator.randbytes(size))) for size in (128, 200) for _ in range(500))


def test_text_is_utf_8_without_zeros_and_a_character_across_chunks_is_text_still():
    assert is_text(span_of(b"\n" + b"a" * ((1 << 17) - 2) + "ö".encode() + b"1"))
    assert is_text(span_of(b""))
    assert not is_text(span_of(b"a\0b"))
    assert not is_text(span_of("ö".encode()[:1]))
    assert not is_text(span_of(b"\xff" + b"a" * (1 << 17)))


@given(st.binary(min_size=1, max_size=600), st.lists(st.tuples(st.integers(0, 599), st.integers(1, 255)), max_size=6))
def test_places_more_than_the_context_apart_are_told_apart(content, changes):
    one, other = bytearray(content), bytearray(content)
    for index, change in changes:
        other[index % len(content)] = one[index % len(content)] ^ change
    unequal = [index for index, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]]
    starts = [index for before, index in zip([-99, *unequal], unequal, strict=False) if index - before - 1 > 64]
    found, _ = bytes_of(bytes(one), bytes(other))
    assert [place.location for place in found] == [f"byte {start:#x}" for start in starts]
    assert all(place.control != place.experiment for place in found)


def test_the_values_show_what_is_around_a_place():
    (found,), _ = bytes_of(bytes(100) + b"A" + b"x" * 100, bytes(100) + b"B" + b"x" * 100)
    assert (found.location, found.control) == ("byte 0x64", bytes(64) + b"A" + b"x" * 64)


def test_further_places_are_cut_and_that_is_said():
    found, budget = bytes_of(bytes(1 << 16), (b"x" + bytes(255)) * 256)
    assert len(found) == 16
    assert list(budget.cut) == ["more bytes differ in a member than are listed"]


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=200))
def test_what_has_moved_is_one_place_that_holds_all_that_differs(start, one, other, end):
    sides = start + one + end, start + other + end
    found, _ = bytes_of(*sides)
    if len(one) == len(other):
        assert bool(found) == (one != other)
        return
    (place,) = found
    offset = int(place.location.removeprefix("byte "), 0)
    assert sides[0][:offset] == sides[1][:offset] and sides[0][offset : offset + 1] != sides[1][offset : offset + 1]
    assert place.control in sides[0] and place.experiment in sides[1] and place.control != place.experiment


@given(st.binary(max_size=300), st.binary(max_size=300), st.integers(1, 50))
def test_clipped_values_still_differ(one, other, longest):
    clipped = clip(one, other, longest)
    assert all(len(value) <= max(longest, 0) for value in clipped)
    assert (clipped[0] != clipped[1]) == (one != other)


def test_lines_are_numbered_and_shown_whole():
    assert lines_of("eins\nzwö\n".encode(), b"eins\nzwei\n") == [("line 2", "zwö\n".encode(), b"zwei\n")]
    assert lines_of(b"a\n", b"a\nb\n") == [("line 2", b"", b"b\n")]
    assert lines_of(b"a\n", b"a") == [("line 1", b"a\n", b"a")]
    assert lines_of(b"same\n", b"same\n") == []


def test_neighbours_that_differ_are_told_one_by_one():
    assert [place for place, *_ in lines_of(b"a1\na2\nz\n", b"b1\nb2\nz\n")] == ["line 1", "line 2"]


def test_only_another_order_is_one_place():
    (found,) = compare_lines(span_of(b"x\ny\nz\nend\n"), span_of(b"y\nx\nz\nend\n"), Budget(Limits()))
    assert (found.field, found.location, found.control) == (Field.ORDER, "line order", b"x\ny\n")


def unordered(one, other):
    texts = Texts(b"\0", "string", unordered=True)
    return [
        (found.location, found.control.rstrip(b"\0"), found.experiment.rstrip(b"\0"))
        for found in compare_lines(span_of(one), span_of(other), Budget(Limits()), texts)
    ]


def test_strings_whose_order_says_nothing_are_paired_by_likeness():
    one = b"int\0/b/one\0a.c\0/b/one/tmp-abc/a.c\0char\0"
    other = b"int\0/b/two/elsewhere/tmp-xyz/a.c\0char\0a.c\0/b/two/elsewhere\0"
    assert unordered(one, other) == [
        ("string 2", b"/b/one", b"/b/two/elsewhere"),
        ("string 4", b"/b/one/tmp-abc/a.c", b"/b/two/elsewhere/tmp-xyz/a.c"),
    ]


def test_they_are_in_another_order_if_that_is_all_and_none_is_paired_where_one_side_has_more():
    assert [location for location, *_ in unordered(b"a\0b\0c\0", b"c\0b\0a\0")] == ["string order"]
    (found,) = unordered(b"a\0b\0c\0", b"a\0c\0")
    assert found == ("string 2", b"b", b"")


def test_of_many_places_those_in_text_are_chosen():
    """Addresses behind a word of another length differ everywhere, and the word tells why."""
    moved = b"".join(b"\x90\x48\x8d\x1d" + number.to_bytes(4, "little") + bytes(200) for number in range(40))
    other = b"".join(b"\x90\x48\x8d\x1d" + (number + 16).to_bytes(4, "little") + bytes(200) for number in range(40))
    found, budget = bytes_of(moved + b"built Nov 30 04:28:46 2026 by us", other + b"built Jan 03 09:41:46 2028 by us")
    assert len(found) == 16
    assert [b"Nov 30 04:28:46 2026" in one.control for one in found] == [False] * 15 + [True]
    assert found[0].location == "byte 0x4"
    assert list(budget.cut) == ["more bytes differ in a member than are listed"]
