"""Causes that are suspected from values alone."""

import random
import struct

import pytest

from pytest_ftc.diagnosis.from_values import guess
from pytest_ftc.model import Field, Place


def cause_of(control, experiment, field=Field.CONTENT):
    return guess("app", Place(field=field, location="x", control=control, experiment=experiment)).cause


@pytest.mark.parametrize(
    ("field", "cause"),
    [
        (Field.MTIME, "time"),
        (Field.MODE, "umask"),
        (Field.OWNER, "user_group"),
        (Field.ORDER, "fileordering"),
    ],
)
def test_the_kind_of_a_place_names_its_usual_cause(field, cause):
    assert cause_of(b"1", b"2", field) == cause


def test_values_that_differ_only_in_a_path_point_to_the_build_path():
    assert cause_of(b"at /home/a/src/x.c;", b"at /tmp/build/x.c;") == "build_path"


def test_what_points_to_nothing_is_unknown_and_a_plain_name():
    cause = cause_of(b"one", b"two!")
    assert cause == "unknown"
    assert type(cause) is str


MOMENT = 1_790_000_000


@pytest.mark.parametrize(
    ("control", "experiment"),
    [
        (bytes.fromhex("4889e5b801000000"), bytes.fromhex("4889e5b803000000")),  # two constants in code
        (struct.pack("<d", 1.0), struct.pack("<d", 1.1)),
        (struct.pack("<I", 1_200_000_000), struct.pack("<I", 1_600_000_000)),  # twelve years apart
        (bytes.fromhex("11000000 6a000000 02000000"), bytes.fromhex("03000000 3b000000 01000000")),
        (b"v 3.14159", b"v 2.71828"),
        (b"number 123456789", b"number 234567891"),
        # These have the notations of dates in versions, and of clocks.
        (b"count 261201", b"count 280104"),
        (b"serial 25335", b"serial 24004"),
        (b"id 142537", b"id 114010"),
        (b"total 202509", b"total 202411"),
        (b"version 24.11", b"version 25.01"),
        (b"version 14.25.37", b"version 11.40.10"),
    ],
)
def test_numbers_that_could_be_read_as_times_are_unknown(control, experiment):
    assert cause_of(control, experiment) == "unknown"


@pytest.mark.parametrize(
    ("control", "experiment"),
    [
        (b"built 2025-12-01_14-25-37", b"built 2026-01-04_11-40-10"),
        (b"built 01-Dec-25", b"built 04-Jan-26"),
        (b"built 2025-W49-2", b"built 2026-W02-1"),
    ],
)
def test_dates_with_a_year_are_time(control, experiment):
    assert cause_of(control, experiment) == "time"


@pytest.mark.parametrize("form", ["<I", ">I", "<q", ">q", "<d"])
def test_two_times_of_builds_are_time(form):
    one, other = (struct.pack(form, MOMENT + later) for later in (0, 86_400 + 4711))
    assert cause_of(b"\0head" + one + b"tail\0", b"\0head" + other + b"tail\0") == "time"


@pytest.mark.parametrize("location", ["ELF section .text, byte 0x389", "ELF Go build id"])
def test_code_and_digests_hold_no_times(location):
    values = (b"\x8d" + struct.pack("<I", moment) + b"\x48" for moment in (MOMENT, MOMENT + 77))
    place = Place(field=Field.CONTENT, location=location, control=next(values), experiment=next(values))
    assert guess("app", place).cause == "unknown"


def test_random_numbers_are_hardly_ever_times():
    numbers = random.Random(1)
    pairs = [(numbers.randbytes(4), numbers.randbytes(4)) for _ in range(200)]
    assert sum(cause_of(*pair) == "time" for pair in pairs) < 10


def test_nothing_is_confirmed_and_the_remedy_names_the_output():
    finding = guess("a.tar", Place(field=Field.MODE, location="x", control=b"0644", experiment=b"0600", format="tar"))
    assert not finding.confirmed
    assert finding.remedy
    assert "{output}" not in finding.remedy.summary
