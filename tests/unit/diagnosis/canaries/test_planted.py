"""What an environment plants."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, NOW

from pytest_ftc.diagnosis.canaries.planted import Window, utc_offset


@pytest.mark.parametrize(
    ("zone", "ahead"),
    [
        ("UTC", 0),
        ("", 0),
        ("FTC-14", 50400),
        ("EST5", -18000),
        ("<+0330>-3:30", 12600),
        ("Europe/Berlin", 3600),
        ("No/Where", 0),
    ],
)
def test_a_zone_is_ahead_of_utc(zone, ahead):
    assert utc_offset(zone, NOW) == ahead


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_window_keeps_its_length_when_moved(start, seconds):
    moved = Window(start, start + 10).moved(seconds)
    assert abs(moved.end - moved.start - 10) < 1e-6


def test_the_locale_is_the_first_variable_that_is_set():
    assert replace(CONTROL, variables={"LC_ALL": "", "LANG": "et_EE"}).locale == "et_EE"
    assert replace(CONTROL, variables={}).locale == "C"
