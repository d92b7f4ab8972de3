"""Texts that are written and recognised in one place."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model import BuildResult, BuildStatus, Role, Verdict, Verification
from pytest_ftc.model.notes import (
    BUILT_AGAIN,
    FLAKY,
    REQUIREMENTS,
    is_in_published,
    is_reference_note,
    is_socket_note,
    join_unlisted,
    locate_in_published,
    note_equal,
    note_hidden_socket,
    note_normalized,
    note_unlisted,
)


def test_notes_about_published_files_are_recognised():
    notes = [note_equal(["a", "b"]), note_normalized("a", equal=True), note_normalized("a", equal=False)]
    assert all(map(is_reference_note, notes))
    assert not is_reference_note(f"{REQUIREMENTS}0")


@given(st.text(), st.text())
def test_each_kind_of_note_is_recognised_whatever_its_names(one, other):
    assert is_socket_note(note_hidden_socket(one, other))
    assert is_reference_note(note_equal([one, other]))
    assert is_reference_note(note_normalized(one, equal=False))
    assert is_in_published(locate_in_published(one))


@given(st.from_regex(r"[a-z0-9 ,.:]*", fullmatch=True))
def test_a_location_in_an_output_is_not_one_in_a_published_file(location):
    assert not is_in_published(location)
    assert is_in_published(locate_in_published(location))


def test_the_whole_output_against_what_was_published_begins_without_a_space():
    assert locate_in_published("") == "(against what was published)"


def test_the_notes_of_a_verification_say_why_it_was_built_again_and_what_is_flaky():
    build = BuildResult(
        id="1", role=Role.CONTROL, environment={}, status=BuildStatus.OK, failed_before=("no space", "no space")
    )
    given = Verification(
        id="a", name="a", verdict=Verdict.REPRODUCIBLE, builds=(build,), notes=("other", f"{BUILT_AGAIN}gcc changed")
    )
    assert given.rebuilt == (f"{BUILT_AGAIN}gcc changed",)
    (sentence,) = given.flaky
    assert sentence.startswith(FLAKY) and "(no space), then passed unchanged" in sentence


def test_notes_on_members_that_are_not_listed_are_one_for_each_output():
    fields = {"tar member mode": 777, "tar member uid": 738, "tar pax header mtime": 776}
    notes = [f"dist/a.tar.gz: {note_unlisted(field, count, 'the output')}" for field, count in fields.items()]
    assert join_unlisted(notes[:1]) == notes[:1]
    assert join_unlisted(["a", *notes[:2], "b", notes[2], "c"]) == [
        "a",
        "dist/a.tar.gz: tar member mode and 2 more fields: up to 777 more members of the output (-v names the fields)",
        "b",
        "c",
    ]
    assert "tar member mode and 1 more field: up to" in join_unlisted(notes[:2])[0]
    other = note_unlisted("zip entry mode", 3, "inner.zip")
    assert join_unlisted([*notes[:1], f"b.zip: {other}"]) == [notes[0], f"b.zip: {other}"]
