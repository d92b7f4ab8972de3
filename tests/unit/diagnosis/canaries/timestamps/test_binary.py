"""Times stored in binary."""

import struct
import time

import pytest
from planted import CONTROL, EXPERIMENT, LATER, NOW, look

from pytest_ftc.diagnosis.canaries.alignment import AlignedPlace, Change, whole
from pytest_ftc.diagnosis.canaries.timestamps.binary import BinaryClock
from pytest_ftc.model import Cause


@pytest.mark.parametrize("order", "<>")
def test_a_time_in_32_bits_points_to_the_clock_in_either_order(order):
    one, other = (b"head" + struct.pack(f"{order}I", seconds) + b"\0\0tail" for seconds in (NOW + 5, LATER + 5))
    assert Cause.TIME in {found.cause for found in look(one, other)}


def test_small_numbers_are_no_times():
    one, other = (b"head\0" + struct.pack("<I", number) + b"\0tail" for number in (7, 9))
    assert Cause.TIME not in {found.cause for found in look(one, other)}


def test_a_table_of_numbers_is_searched_in_the_time_that_its_size_takes():
    rows = ([(97 + place * step % 26, place * step % 9973, place, -1, 0) for place in range(10000)] for step in (7, 11))
    one, other = (b"".join(struct.pack("<5i", *row) for row in table) for table in rows)
    begin = time.process_time()
    assert Cause.TIME not in {found.cause for found in look(one, other)}
    assert time.process_time() - begin < 10


def test_the_same_times_beside_each_other_are_all_found():
    clock = BinaryClock(CONTROL, EXPERIMENT)
    one, other = (struct.pack("<8I", *range(seconds, seconds + 8)) for seconds in (NOW + 5, LATER + 5))
    place = AlignedPlace(one, other, tuple(Change(at, at + 4, at, at + 4) for at in range(0, 32, 4)))
    found = [one for one in clock.find(place) if "32 bits, little" in one.suspicion.why]
    assert {number for one in found for number in one.changes} == set(range(8))
    assert len({one.suspicion.control for one in found}) == 8


@pytest.mark.parametrize(
    ("form", "of_control", "of_experiment", "named"),
    [
        ("<Q", NOW * 1000, LATER * 1000, "milliseconds since 1970, little-endian"),
        (">Q", NOW * 10**9, LATER * 10**9, "nanoseconds since 1970, big-endian"),
        ("<Q", (NOW + 11_644_473_600) * 10**7, (LATER + 11_644_473_600) * 10**7, "FILETIME, little-endian"),
        (">I", NOW + 2_082_844_800, LATER + 2_082_844_800, "seconds since 1904 in 32 bits, big-endian"),
        ("<d", NOW - 978_307_200.0, LATER - 978_307_200.0, "seconds since 2001 as a floating-point number"),
        (">d", NOW / 86400 + 25_569, LATER / 86400 + 25_569, "days since 1899 as a floating-point number"),
    ],
)
def test_every_encoding_is_read_and_named(form, of_control, of_experiment, named):
    one, other = (b"head" + struct.pack(form, number) + b"\0\0tail" for number in (of_control, of_experiment))
    found = BinaryClock(CONTROL, EXPERIMENT).find(whole(one, other))
    assert any(named in each.suspicion.why for each in found if each.suspicion.cause == Cause.TIME)
