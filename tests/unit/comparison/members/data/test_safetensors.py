"""Tensors of safetensors files, which are written by hand as the format says."""

import json
import struct

import pytest


def safetensors(header, data):
    head = json.dumps(header).encode()
    return len(head).to_bytes(8, "little") + head + data


def tensor(kind, shape, start, end):
    return {"dtype": kind, "shape": shape, "data_offsets": [start, end]}


def places(compare, one, other):
    return [
        (leaf.location, leaf.control, leaf.experiment, leaf.numbers)
        for leaf in compare(one, other, "model.safetensors").leaves
    ]


def test_an_element_is_named_with_the_extent_of_its_tensor(compare):
    header = {"b": tensor("F32", [2], 0, 8), "w": tensor("F64", [2, 2], 8, 40)}
    one, other = (safetensors(header, struct.pack("<2f4d", 1, 2, 0.5, 0.25, *last)) for last in ([1, 4], [1.5, 4.25]))
    assert places(compare, one, other) == [
        (
            "key w, element [1, 0] (float64)",
            b"1.0, 4.0",
            b"1.5, 4.25",
            "2 of 4 numbers differ; largest difference 0.5 at [1, 0] (1.0 and 1.5); largest relative difference 0.333",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "one", "other", "shown"),
    [("BF16", b"\x80\x3f", b"\x81\x3f", (b"1", b"1.008")), ("I16", b"\1\0", b"\2\0", (b"1", b"2"))],
)
def test_types_of_elements(compare, kind, one, other, shown):
    sides = (safetensors({"t": tensor(kind, [1], 0, 2)}, data) for data in (one, other))
    ((location, *values, numbers),) = places(compare, *sides)
    assert location.startswith("key t, element [0]")
    assert tuple(values) == shown
    assert numbers.startswith("1 of 1 number differs")


def test_metadata_and_added_tensors_are_named(compare):
    header = {"__metadata__": {"made": "monday"}, "t": tensor("I8", [1], 0, 1)}
    other = {**header, "__metadata__": {"made": "friday"}, "u": tensor("I8", [1], 1, 2)}
    found = places(compare, safetensors(header, b"\1"), safetensors(other, b"\1\2"))
    assert [location for location, *_ in found] == ["key __metadata__.made", "key u"]


@pytest.mark.parametrize("end", [5, -1, 1 << 62])
def test_offsets_that_lie_are_no_crash(compare, end):
    sides = (safetensors({"t": tensor("I8", [1], 0, end)}, data) for data in (b"\1", b"\2"))
    assert compare(*sides, "model.safetensors").leaves
