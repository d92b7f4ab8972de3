"""Offsets that differ by as much as the lengths of folders."""

from dataclasses import replace

import pytest
from planted import CONTROL, EXPERIMENT

from pytest_ftc.diagnosis.canaries.lengths import find_moved
from pytest_ftc.model import Field, Place

SHORT, LONG = replace(CONTROL, temp_dir="/tmp"), replace(EXPERIMENT, temp_dir="/ftc-tmp-psdfjl")


def words(*numbers):
    return b"\x01" + b"".join(number.to_bytes(4, "little") for number in numbers)


def find(control, experiment, section="ELF section .debug_line, byte 0x26"):
    place = Place(field=Field.CONTENT, location=section, control=control, experiment=experiment)
    return [one.cause for one in find_moved(place, SHORT, LONG)]


@pytest.mark.parametrize("start", [0x3F, 0x1F5])
def test_all_offsets_by_the_length_of_a_folder_point_to_it(start):
    assert find(words(3, start, 7, start + 8), words(3, start + 11, 7, start + 19)) == ["temp_dir"]


@pytest.mark.parametrize(
    ("control", "experiment"),
    [
        (words(0x3F), words(0x4A)),
        (words(0x3F, 0x47), words(0x4A, 0x53)),
        (words(0x3F, 0x47), words(0x40, 0x48)),
        (words(0x3F, 0x47), words(0x4A, 0x52)[:-1]),
        (words(), words()),
    ],
)
def test_one_offset_other_distances_and_other_lengths_point_to_nothing(control, experiment):
    assert find(control, experiment) == []


def test_only_parts_of_programs_hold_such_offsets():
    assert find(words(0x3F, 0x47), words(0x4A, 0x52), "byte 0x26") == []
