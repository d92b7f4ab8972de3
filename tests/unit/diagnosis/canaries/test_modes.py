"""Modes and umasks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, EXPERIMENT, look

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.modes import find_mode, find_modes, fits_umask
from pytest_ftc.model import Field, Strength


def test_modes_that_differ_by_the_umasks_point_to_it():
    assert look(b"0644", b"0600", Field.MODE)[0].cause == "umask"


@given(st.integers(0, 0o777), st.integers(0, 0o777), st.integers(0, 0o777))
def test_modes_less_their_umasks_fit_or_are_equal(asked, mask, their_mask):
    one, other = asked & ~mask, asked & ~their_mask
    assert fits_umask(one, other, mask, their_mask) == (one != other)


def test_a_bit_that_an_umask_takes_away_does_not_fit():
    assert not fits_umask(0o666, 0o600, 0o022, 0o077)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"-rw-r--r--", b"-rw-------"),
        (b"0644", b"0600"),
        (b"u=rwx,g=rx,o=rx", b"u=rwx,g=,o="),
        (b"0022", b"0077"),
        # st_mode and the attributes of a zip's entry, in decimal.
        (b"33188", b"33152"),
        (b"2175008768", b"2172649472"),
    ],
)
def test_modes_are_read_in_every_notation(one, other):
    found = [sighting.suspicion for sighting in find_modes(whole(one, other), CONTROL, EXPERIMENT)]
    assert Strength.STRONG in {one.strength for one in found}


def test_what_is_no_mode_points_to_nothing():
    assert not list(find_mode(b"rw", b"0600", CONTROL, EXPERIMENT))
    assert not list(find_modes(whole(b"0644", b"0600"), CONTROL, CONTROL))
    # Two times, of which the upper halves have no type of a file.
    assert not list(find_modes(whole(b"1764489600", b"1764489664"), CONTROL, EXPERIMENT))


CHECKED_OUT = replace(CONTROL, source_umask=0o027)


@pytest.mark.parametrize(
    ("one", "other"),
    [(b"0644", b"0640"), (b"0755", b"0750"), (b"0640", b"0644"), (b"0755", b"0754")],
)
def test_modes_of_a_source_file_point_to_the_checkout(one, other):
    (sighting,) = find_mode(one, other, CONTROL, CHECKED_OUT)
    assert sighting.suspicion.cause == "source_mode"
    (sighting,) = find_mode(other, one, CHECKED_OUT, CONTROL)
    assert sighting.suspicion.cause == "source_mode"


@pytest.mark.parametrize(("one", "other"), [(b"0644", b"0600"), (b"0644", b"0740"), (b"0644", b"4640")])
def test_modes_that_no_checkout_leaves_do_not(one, other):
    assert not list(find_mode(one, other, CONTROL, CHECKED_OUT))


@pytest.mark.parametrize(
    ("one", "other", "cause"),
    [(b"0755", b"0744", "umask"), (b"0755", b"0757", "source_mode"), (b"0755", b"0752", None)],
)
def test_of_modes_that_were_opened_again_the_bits_that_are_left_tell_whose_they_are(one, other, cause):
    """As automake does: a umask of 077 leaves 0700, and then everybody may read it."""
    own = replace(CONTROL, source_umask=0o025)
    found = list(find_mode(one, other, own, replace(EXPERIMENT, source_umask=0o027)))
    assert [sighting.suspicion.cause for sighting in found] == ([cause] if cause else [])
    assert all(sighting.suspicion.strength is Strength.WEAK for sighting in found)


@pytest.mark.parametrize(("one", "other"), [(b"-rw-r--r-- 1", b"-rw-r----- 1"), (b"0644", b"0640")])
def test_modes_of_a_source_file_are_read_in_text(one, other):
    (sighting,) = find_modes(whole(one, other), CONTROL, CHECKED_OUT)
    assert (sighting.suspicion.cause, sighting.suspicion.strength) == ("source_mode", Strength.STRONG)


@pytest.mark.parametrize(
    ("one", "other", "causes"),
    [
        # Files that the build makes, and gives to others: 0660 and then a+r.
        (b"0644", b"0664", {"umask": Strength.WEAK}),
        # A folder of the sources, or one that the build makes.
        (b"0755", b"0775", {"umask": Strength.WEAK, "source_mode": Strength.WEAK}),
        (b"0755", b"0774", {"umask": Strength.WEAK}),
        # No umask of 0022 leaves the first.
        (b"0664", b"0644", {"source_mode": Strength.STRONG}),
        (b"0644", b"0660", {"umask": Strength.STRONG}),
        (b"0644", b"0600", {"source_mode": Strength.STRONG}),
    ],
)
def test_a_mode_that_others_may_have_too_is_strong_evidence_of_neither_mask(one, other, causes):
    own = replace(CONTROL, umask=0o022, source_umask=None)
    found = find_mode(one, other, own, replace(EXPERIMENT, umask=0o007, source_umask=0o077))
    assert {sighting.suspicion.cause: sighting.suspicion.strength for sighting in found} == causes
