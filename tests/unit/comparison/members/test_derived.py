"""Lists of checksums follow from the members that they list."""

from dataclasses import replace

import pytest

from pytest_ftc.comparison.members.derived import put_derived_last
from pytest_ftc.comparison.members.engine import FOLLOWS
from pytest_ftc.model import Field, Place
from pytest_ftc.model.place import FileFormat

CHANGED = Place(field=Field.CONTENT, location="line 1", control=b"1", experiment=b"2", member="data/usr/bin/x")


def sums(*paths: str, form: str = "{digest}  {path}") -> Place:
    control, experiment = (
        "".join(form.format(digest=digit * 32, path=path) + "\n" for path in paths).encode() for digit in "ab"
    )
    return Place(
        field=Field.CONTENT,
        location="line 1",
        control=control,
        experiment=experiment,
        member="control/md5sums",
        format=FileFormat.TEXT,
    )


def notes(*leaves: Place) -> list[tuple[str, str]]:
    return [(leaf.member, leaf.note) for leaf in put_derived_last(leaves)]


@pytest.mark.parametrize("form", ["{digest}  {path}", "{digest} *{path}", "{path},sha256={digest},12"])
@pytest.mark.parametrize("path", ["usr/bin/x", "./usr/bin/x", "bin/x", "data/usr/bin/x", "usr/bin"])
def test_a_list_of_a_changed_member_follows_and_comes_last(form, path):
    assert notes(sums(path, form=form), CHANGED) == [("data/usr/bin/x", ""), ("control/md5sums", FOLLOWS)]


def test_a_list_with_another_member_does_not_follow():
    assert notes(sums("usr/bin/x", "usr/bin/y"), CHANGED)[0] == ("control/md5sums", "")
    assert notes(sums("usr/lib"), CHANGED)[0] == ("control/md5sums", "")


def test_a_text_with_other_lines_is_no_list():
    text = sums("usr/bin/x")
    assert notes(replace(text, control=text.control + b"made in May\n"), CHANGED)[0] == ("control/md5sums", "")


def test_a_change_of_the_entry_alone_does_not_change_a_checksum():
    entry = replace(CHANGED, field=Field.MTIME, format=FileFormat.TAR, location="tar member mtime")
    assert notes(sums("usr/bin/x"), entry)[0] == ("control/md5sums", "")


def test_what_was_cut_keeps_its_note():
    assert notes(replace(sums("usr/bin/x"), note="cut"), CHANGED)[0] == ("control/md5sums", "cut")


def test_positions_in_a_source_map_follow_from_what_they_are_about():
    places = [
        Place(field=Field.CONTENT, location=where, control=b"1", experiment=b"2", format=FileFormat.JSON)
        for where in ("key mappings, column 8 (part 3)", "key sources[0]", "line 1")
    ]
    found = put_derived_last(places, "page.js.map")
    assert [(leaf.location[:12], leaf.note) for leaf in found][1:] == [("line 1", ""), ("key mappings", FOLLOWS)]
    assert [leaf.note for leaf in put_derived_last([places[0], places[2]], "page.js.map")] == ["", ""]


@pytest.mark.parametrize(("location", "name"), [("key mappings.text", "a.js.map"), ("key mappings", "index.json")])
def test_other_mappings_than_those_of_source_maps_do_not_follow(location, name):
    places = [
        Place(field=Field.CONTENT, location=where, control=b"1", experiment=b"2", format=FileFormat.JSON)
        for where in (location, "key created")
    ]
    assert [leaf.note for leaf in put_derived_last(places, name)] == ["", ""]
