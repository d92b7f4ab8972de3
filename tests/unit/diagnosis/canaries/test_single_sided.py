"""Variables, zones and widths."""

import pytest
from planted import CONTROL, EXPERIMENT, look

from pytest_ftc.diagnosis.canaries.alignment import whole
from pytest_ftc.diagnosis.canaries.single_sided import find_lone_variables, find_width, find_zones
from pytest_ftc.model import Cause, Strength


def test_bytes_of_a_program_are_not_as_wide_as_a_terminal():
    assert "terminal" not in {found.cause for found in look(b"\1" * 70 + b"\0\n", b"\2" * 120 + b"\0\n")}


def test_lines_as_wide_as_each_terminal_point_to_it():
    assert [one.cause for one in find_width(b"-" * 78, b"-" * 130, CONTROL, EXPERIMENT)] == [Cause.TERMINAL]
    assert not list(find_width(b"-" * 78, b"-" * 79, CONTROL, EXPERIMENT))
    assert not list(find_width(b"-" * 78, b"-" * 130, CONTROL, CONTROL))


def test_a_variable_that_both_sides_name_points_to_nothing():
    name = b"FTC_CANARY_EXTRA"
    assert not list(find_lone_variables(whole(name + b"1", name + b"2"), CONTROL, EXPERIMENT))
    (sighting,) = find_lone_variables(whole(b"", name), CONTROL, EXPERIMENT)
    assert (sighting.suspicion.control, sighting.suspicion.strength) == ("", Strength.CERTAIN)


def test_zones_are_those_of_the_builds_or_none():
    assert [one.suspicion.cause for one in find_zones(whole(b"UTC", b"+1400"), CONTROL, EXPERIMENT)] == [Cause.TIMEZONE]
    assert not list(find_zones(whole(b"UTC", b"+0200"), CONTROL, EXPERIMENT))


@pytest.mark.parametrize(
    ("zone", "why"),
    [
        (b"+14'00'", "it contains the time zone"),
        (b"+14'00", "it contains the time zone"),
        (b"-14'00'", "it contains the time zone, with its sign reversed"),
        (b"-14", "it contains the time zone, with its sign reversed"),
        (b"-13'00'", ""),
        (b"+14'30'", ""),
    ],
)
def test_zones_as_pdf_writes_them_and_with_the_sign_of_posix(zone, why):
    for utc in (b"+00'00'", b"Z"):
        found = list(find_zones(whole(utc, zone), CONTROL, EXPERIMENT))
        assert [one.suspicion.why for one in found] == ([why] if why else [])
