"""Where the walk is, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.contents import Member
from pytest_ftc.comparison.members.plain import Found
from pytest_ftc.comparison.members.position import Position
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

FOUND = Found(Field.CONTENT, "line 2", b"1", b"2", "cut")


def test_members_are_joined_and_parts_stand_in_the_location():
    inner = Position(name="a.zip").enter(Member(name="./lib/x.so")).enter(Member(name="s", part="ELF section .text"))
    leaf = inner.leaf(FOUND, FileFormat.BINARY, "follows")
    assert (leaf.member, leaf.location) == ("lib/x.so", "ELF section .text, line 2")
    assert (leaf.format, leaf.note) == (FileFormat.BINARY, "cut; follows")
    assert inner.depth == 2


def test_parts_within_parts_are_all_named():
    place = Position(name="x").enter(Member(name="a", part="outer")).enter(Member(name="b", part="inner"))
    assert place.leaf(FOUND, FileFormat.TEXT).location == "outer, inner, line 2"


@pytest.mark.parametrize(
    ("name", "inside"),
    [("a.tar.gz", "a.tar"), ("a.tgz", "a.tar"), ("a.tzst", "a.tar"), ("a.txt.xz", "a.txt"), ("plain", "")],
)
def test_a_payload_adds_no_member_and_loses_the_extension(name, inside):
    place = Position(name=name, member="m").enter(Member(name="payload", payload=True))
    assert (place.name, place.member, place.depth) == (inside, "m", 1)


@given(st.text(st.characters(codec=None), max_size=50), st.integers(0, 50))
def test_names_from_an_archive_are_shown_on_one_short_line(name, times):
    place = Position(name="a")
    for _ in range(times):
        place = place.enter(Member(name=name or "x"))
    assert place.member.isprintable() and len(place.member) <= 1000
    assert place.leaf(FOUND, FileFormat.TEXT).location == "line 2"
