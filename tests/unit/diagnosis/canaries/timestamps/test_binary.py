"""Times stored in binary."""

import struct

import pytest
from planted import LATER, NOW, look

from pytest_ftc.model import Cause


@pytest.mark.parametrize("order", "<>")
def test_a_time_in_32_bits_points_to_the_clock_in_either_order(order):
    one, other = (b"head" + struct.pack(f"{order}I", seconds) + b"\0\0tail" for seconds in (NOW + 5, LATER + 5))
    assert Cause.TIME in {found.cause for found in look(one, other)}


def test_small_numbers_are_no_times():
    one, other = (b"head\0" + struct.pack("<I", number) + b"\0tail" for number in (7, 9))
    assert Cause.TIME not in {found.cause for found in look(one, other)}
