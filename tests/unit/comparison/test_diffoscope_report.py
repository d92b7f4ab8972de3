"""Reading diffoscope's trees, also those that this machine's tools do not make."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.diffoscope_report import read_places
from pytest_ftc.comparison.excerpt import contrast


def node(source, diff=None, *details, comments=()):
    return {"source1": source, "source2": source, "unified_diff": diff, "comments": comments, "details": details}


def read_one(*arguments, **options):
    (place,) = read_places(node("control/x", None, node(*arguments, **options)))
    return place


def test_members_are_joined_and_sections_are_not():
    tree = node("x", None, node("a", None, node("b", None, node("file list", "@@ -1 +1 @@\n-1\n+2\n"))))
    assert read_places(tree)[0].member == "a/b"
    assert read_places(tree)[0].location.startswith("archive entries")


def test_a_shortened_command_is_a_section():
    place = read_one("objdump --line-numbers --disassemble […]", "@@ -1 +1 @@\n-1\n+2\n")
    assert (place.member, place.location) == ("", "objdump --line-numbers --disassemble […]")


def test_a_file_below_itself_is_not_its_own_member():
    diff = "@@ -1 +1 @@\n-1\n+2\n"
    (place,) = read_places(node("control/x", diff, node("control/x", diff)))
    assert place.member == ""


def test_a_member_without_values_is_not_lost():
    place = read_one("member", comments=["Timeout exceeded; details may be incomplete."])
    assert (place.member, place.evidence) == ("member", None)
    assert place.note == "Timeout exceeded; details may be incomplete."


@pytest.mark.parametrize(
    ("diff", "location", "control", "experiment"),
    [
        ("@@ -5,2 +5,2 @@\n same\n-a\n+b\n", "line 6", "a", "b"),
        ("@@ -1,2 +1,2 @@\n-a\n-b\n+c\n+d\n", "line 1", "a", "c"),
        ("@@ -1 +1 @@\n-\n+x\n", "line 1", "", "x"),
        ("@@ -0,0 +1 @@\n+x\n", "line 1", "", "x"),
        ("@@ -1 +1 @@\n-x \n+x\n", "line 1", "x ", "x"),
        ("@@ -1 +1 @@\n-x\n\\ No newline at end of file\n+x\n", "line 1", "x", r"x\n"),
        ("@@ -1,2 +1,2 @@\n-a\n b\n+a\n", "line 1, order only", "a", ""),
        ("@@ -1 +1 @@\n-a\x0b\u2028b\n+c\n", "line 1", r"a\x0b\u2028b", "c"),
        ("@@ -1 +1 @@\n-00000010: 0001 41  ..A\n+00000010: 0001 42  ..B\n", "byte 0x12", "00000010: 0001 41  ..A", "00000010: 0001 42  ..B"),
        ("@@ -1 +1,2 @@\n 00000000: 00 .\n+00000010: 42  B\n", "byte 0x10", "", "00000010: 42  B"),
    ],
)  # fmt: skip
def test_the_first_change_is_told(diff, location, control, experiment):
    place = read_one("member", diff)
    assert (place.location, place.evidence.control, place.evidence.experiment) == (location, control, experiment)


def test_too_much_input_is_no_evidence():
    diff = "@@ -1 +1 @@\n-[ Too much input for diff (SHA: 1) ]\n+[ Too much input for diff (SHA: 2) ]\n"
    assert read_one("member", diff).evidence is None


def test_dumps_without_offsets_are_placed_by_their_line():
    place = read_one("member", "@@ -3 +3 @@\n-0041\n+0042\n", comments=["Falling back to Python hexlify."])
    assert place.location == "byte 0x41"


@pytest.mark.parametrize("result", [None, 1, "x", [], {}, node(1), node("x", 1), node("x", None, 1), node("x", comments=[1]), {**node("x"), "details": 1}])  # fmt: skip
def test_an_unknown_form_is_refused(result):
    with pytest.raises(ValueError, match="unknown form"):
        read_places(result)


@given(st.text(), st.text(), st.text(), st.integers(0, 400))
def test_evidence_is_short_printable_and_shows_the_difference(one, other, shared, times):
    evidence = contrast(shared * times + one, shared * times + other)
    for text in (evidence.control, evidence.experiment):
        assert len(text) <= 300
        assert text.isprintable()
    assert one == other or evidence.control != evidence.experiment or "\\" in evidence.control
