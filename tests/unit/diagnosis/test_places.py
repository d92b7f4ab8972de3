"""Which places of two builds are the same, and how their values are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.diagnosis.places import (
    Key,
    match_places,
    may_be_elsewhere,
    may_follow,
    may_move,
    places_of,
    show_values,
    showing,
)
from pytest_ftc.model import Field, Place


def place(location="line 1", field=Field.CONTENT, control=b"1", experiment=b"2", member=""):
    return Place(field=field, location=location, control=control, experiment=experiment, member=member)


def key(location, output="app", field=Field.CONTENT):
    return Key(output, "", location, field)


def show(known, *differing):
    return showing(dict.fromkeys(known, place()), dict.fromkeys(differing, place()))


def test_all_members_that_only_one_build_has_are_one_place():
    lone = [place("name", Field.NAME, control=b"", member=name) for name in "ab"]
    assert [one.location for one in places_of("app", lone)] == ["members"]
    assert len(places_of("app", [place(member=name) for name in "ab"])) == 2


def test_bytes_that_differ_a_little_later_are_the_same_place():
    known = [key(".text, byte 0x40")]
    assert list(match_places(known, {key(".text, byte 0x44"): place()})) == known
    assert list(match_places(known, {key(".data, byte 0x44"): place()})) != known
    assert list(match_places(known, {key(".text, byte 0x400"): place()})) != known


def test_a_part_of_a_line_is_told_by_its_number_whatever_its_column():
    known = [key("line 9, column 40 (part 4)"), key("line 9, column 80 (part 9)")]
    found = match_places(
        known, {key("line 9, column 57 (part 4)"): place(), key("line 2, column 40 (part 4)"): place()}
    )
    assert list(found) == [known[0], key("line 2, column 40 (part 4)")]
    assert show(known, key("line 9, column 57 (part 4)")) == {known[0]}


def test_a_string_is_told_by_its_number_and_by_its_offset_where_it_is_one_in_one_build_only():
    known = [key(".rodata, string 2, byte 0x14"), key(".rodata, string 3, byte 0x1d"), key(".rodata, byte 0x60")]
    found = match_places(known, {key(".rodata, string 3, byte 0x14"): place(), key(".rodata, byte 0x15"): place()})
    assert list(found) == [known[1], known[0]]
    assert list(match_places(known, {key(".rodata, string 9, byte 0x62"): place()})) == [known[2]]
    assert list(match_places(known, {key(".rodata, string 9, byte 0x50"): place()})) != [known[2]]
    other = key(".rodata, string 7, byte 0x1d")
    assert list(match_places(known, {other: place()})) == [other]
    assert show(known[:2], other) == frozenset()


def test_what_is_told_by_its_offset_may_move_where_strings_differ():
    strings = [key(".rodata, string 2, byte 0x14")]
    assert may_move(key(".rodata, byte 0x60"), strings)
    assert not may_move(key(".data, byte 0x60"), strings)
    assert not may_move(key(".rodata, string 3, byte 0x1d"), strings)
    assert not may_move(key(".rodata, byte 0x60"), [key(".rodata, byte 0x14")])


def test_what_differs_in_one_section_of_a_program_has_not_moved_there_from_another():
    known = [key("ELF section .text, byte 0x1615"), key("ELF section .rodata, byte 0x40")]
    assert show(known, key("ELF section .rodata, byte 0x900")) == {known[1]}
    assert show(known, key("ELF Go build id")) == frozenset()


def test_places_of_one_kind_that_all_moved_count_as_showing():
    known = [key("byte 0x1"), key("byte 0x9", "lib")]
    assert show(known, key("byte 0x700")) == {known[0]}
    assert show(known) == frozenset()


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("line 3", ["line 3"]),
        ("line 21", ["line 19"]),
        ("line 22", []),
        ("line 18", []),
        ("row 3", []),
        ("byte 0x3", []),
    ],
)
def test_a_line_has_not_moved_to_another_but_may_be_in_a_block(location, shown):
    """Builds whose values are others may tell apart what was one block."""
    known = {key("line 3"): place(), key("line 19"): place(control=b"a\nb\nc\n")}
    assert showing(known, {key(location): place()}) == {key(one) for one in shown}
    elsewhere = may_be_elsewhere(known, {key(location): place()})
    assert elsewhere == (set() if shown or not location.startswith("line") else set(known))


def test_what_differs_in_one_member_has_not_moved_there_from_another():
    """A random bit that two builds had in common by luck must not make the host in another file random."""
    known = {key("byte 0x9")._replace(member="a.bin"): place()}
    other = {key("byte 0x10")._replace(member="b.bin"): place()}
    assert showing(known, other) == frozenset()
    assert may_be_elsewhere(known, other) == set(known)
    assert showing(known, {key("byte 0x80")._replace(member="a.bin"): place()}) == set(known)


def test_parts_of_a_line_are_other_places_than_its_other_parts():
    known = [key("line 9, column 40 (part 4)"), key("table t, row 2, column b")]
    assert show(known, key("line 9, column 60 (part 7)"), key("table t, row 2, column c")) == frozenset()
    assert show(known, key("line 9"), key("table u, row 2")) == {known[0]}
    assert show(known, key("table t, row 2")) == {known[1]}


def test_a_stored_time_is_shown_as_a_date():
    shown = show_values(place(field=Field.MTIME, control=b"0", experiment=b"86400"))
    assert (shown.control, shown.experiment) == ("1970-01-01 00:00:00", "1970-01-02 00:00:00")


@given(st.sampled_from(Field), st.binary(max_size=900), st.binary(max_size=900))
def test_any_values_are_shown_in_a_few_hundred_characters(field, control, experiment):
    shown = show_values(place(field=field, control=control, experiment=experiment))
    assert max(len(shown.control), len(shown.experiment)) <= 400


@pytest.mark.parametrize(
    ("location", "other", "may"),
    [
        ("ELF section .text, byte 0x3ba", "ELF section .debug_line_str, string 1", False),
        ("ELF section .rodata, string 2", "ELF section .comment, byte 0x0", False),
        ("ELF section .rodata, byte 0x8", "ELF section .rodata, string 2", True),
        ("ELF section .text, byte 0x3ba", "ELF section .rodata, string 2", True),
        ("ELF section .rela.debug_info, byte 0x40", "ELF section .debug_line_str, string 1", True),
        ("ELF build id", "ELF section .debug_line_str, string 1", True),
        ("line 3", "ELF section .debug_str, string 1", True),
    ],
)
def test_code_and_data_do_not_differ_for_what_only_debuggers_read(location, other, may):
    keys = (Key("app", "", one, Field.CONTENT) for one in (location, other))
    assert may_follow(*keys) == may


_INSIDE = (("ELF build id", Field.HEADER), ("line 2", Field.CONTENT))


def test_modes_and_owners_follow_from_nothing_else():
    order = Key("a.tar", "", "tar member order", Field.ORDER)
    mode, owner = Key("a.tar", "x", "tar member mode", Field.MODE), Key("a.tar", "x", "tar member uid", Field.OWNER)
    assert not any(may_follow(one, other) for one in (mode, owner) for other in (order, mode, owner) if one != other)
    assert may_follow(mode, mode._replace(member="y"))
    assert may_follow(order, mode)


def test_what_is_in_an_archive_does_not_differ_for_the_time_of_its_entry():
    section = Key("a.whl", "a.so", "ELF section .debug_info, byte 0x12", Field.CONTENT)
    entry = Key("a.whl", "a.so", "zip entry mtime", Field.MTIME)
    build_id, text = (section._replace(location=location, field=field) for location, field in _INSIDE)
    assert not any(may_follow(one, entry) for one in (section, build_id, text))
    assert may_follow(text, entry._replace(location="PDF /CreationDate"))
    assert may_follow(Key("a.whl", "", "byte 0x80", Field.CONTENT), entry)
    assert may_follow(section, Key("a.whl", "a.so", "ELF section .debug_str, string 1", Field.CONTENT))


@pytest.mark.parametrize(
    ("differing", "shows"),
    [("key sources[1]", True), ("key mappings, column 8 (part 3)", False), ("key sources[0].name", False)],
)
def test_a_value_with_a_path_is_elsewhere_only_under_other_numbers(differing, shows):
    known = Key("a.map", "", "key sources[0]", Field.CONTENT)
    place = Place(field=known.field, location=differing, control=b"1", experiment=b"2")
    assert (known in showing({known: place}, {known._replace(location=differing): place})) == shows
