"""Searching for planted values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.values import Value, find_all, is_unique, overlaps, plainly, spot_values, touches


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=3))
def test_every_occurrence_is_found(text, value):
    spans = find_all(text, value, bounded=False)
    assert spans == [(at, at + len(value)) for at in range(len(text)) if text.startswith(value, at)]


def test_a_bounded_value_is_no_part_of_a_word():
    assert find_all(b"root groot root2 root", b"root", bounded=True) == [(0, 4), (17, 21)]
    assert find_all(b"root", b"", bounded=False) == []


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_what_overlaps_touches(start, length, other, size):
    if overlaps((start, start + length), other, other + size):
        assert touches((start, start + length), other, other + size)


def test_a_token_is_unique_and_a_word_is_not():
    assert is_unique("host-lflfdc")
    assert not is_unique("localhost")


def test_a_value_must_be_on_its_own_side():
    value = Value("home", "/one/home", "/two/home", "the home folder")
    (sighting,) = spot_values(whole(b"/one/home", b"/two/home"), [value], plainly)
    assert (sighting.suspicion.cause, sighting.suspicion.why) == ("home", "it contains the home folder")
    assert not list(spot_values(whole(b"/two/home", b"/one/home"), [value], plainly))
    same = Value("home", "/one/home", "/one/home", "the home folder")
    assert not list(spot_values(whole(b"/one/home", b""), [same], plainly))


@pytest.mark.parametrize(
    ("own", "theirs", "texts"), [("host-lflfdc", "", (b"host-lflfdc", b"")), ("", "host-cgpvls", (b"", b"host-cgpvls"))]
)
def test_a_unique_value_of_one_build_is_found_on_its_side(own, theirs, texts):
    (sighting,) = spot_values(whole(*texts), [Value("domain_host", own, theirs, "the host name")], plainly)
    assert sighting.suspicion.why == "it contains the host name, which only one of the builds has"
