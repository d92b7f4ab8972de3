"""Laying two contents side by side."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.span import common_start
from pytest_ftc.diagnosis.canaries.alignment import align


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_every_place_shows_what_differs(one, other):
    for place in align(one, other).places:
        assert place.control in one
        assert place.experiment in other
        for change in place.changes:
            assert place.control[change.start : change.end] != place.experiment[change.theirs : change.their_end]


@given(st.binary(max_size=200))
def test_equal_contents_have_no_places(data):
    assert align(data, data).places == ()


@given(st.binary(max_size=50), st.binary(max_size=50), st.binary(max_size=50))
def test_the_common_start_is_the_longest(start, one, other):
    length = common_start(start + one, start + other)
    assert length >= len(start)
    assert (start + one)[:length] == (start + other)[:length]
    assert (start + one)[length : length + 1] != (start + other)[length : length + 1] or length == len(
        start + one
    ) == len(start + other)


def test_too_many_places_are_cut_and_said_to_be():
    one = b"".join(b"%04d" % number + b"\0" * 200 for number in range(400))
    other = one.translate(bytes.maketrans(b"0123456789", b"5678901234"))
    found = align(one, other)
    assert not found.complete
    assert len(found.places) == 256
