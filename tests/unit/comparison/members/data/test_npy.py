"""NumPy's arrays by the element; the files are written by hand, as numpy.org's "numpy.lib.format" says."""

import io
import pickle
import struct
import zipfile

import pytest


def npy(kind, shape, content, fortran=False, version=1):
    head = repr({"descr": kind, "fortran_order": fortran, "shape": shape}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(head).to_bytes(2 if version == 1 else 4, "little") + head + content


def places(compare, one, other, name="x.npy"):
    found = compare(one, other, name).leaves
    return [(leaf.member, leaf.location, leaf.control, leaf.experiment) for leaf in found]


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def test_the_first_elements_that_differ_are_told_by_their_indices(compare):
    one, other = npy("<f4", (2, 3), floats(0, 1, 2, 3, 4, 5)), npy("<f4", (2, 3), floats(0, 1, 8, 9.5, 4, 6))
    assert places(compare, one, other) == [
        ("", "element [0, 2] (float32)", b"2, 3", b"8, 9.5"),
        ("", "element [1, 2] (float32)", b"5", b"6"),
    ]


@pytest.mark.parametrize(
    ("kind", "one", "other", "location", "values"),
    [
        ("<i8", struct.pack("<q", 1_795_907_375), struct.pack("<q", -5), "int64", (b"1795907375", b"-5")),
        (">u2", b"\1\0", b"\1\1", "uint16", (b"256", b"257")),
        ("|b1", b"\0", b"\1", "bool", (b"False", b"True")),
        ("<c8", floats(1.5, -2), floats(1.5, 2), "complex64", (b"1.5-2j", b"1.5+2j")),
        (
            ">c16",
            struct.pack(">2d", 0.1, 2),
            struct.pack(">2d", 0.25, float("nan")),
            "complex128",
            (b"0.1+2.0j", b"0.25nanj"),
        ),
        ("|S4", b"abcd", b"abce", "text", (b"abcd", b"abce")),
        ("<U2", "ab".encode("utf-32-le"), "ac".encode("utf-32-le"), "text", (b"ab", b"ac")),
        ("<M8[s]", struct.pack("<q", 7), struct.pack("<q", 8), "datetime64", (b"7", b"8")),
        ([("t", "<u2"), ("u", "<f4", (2,))], bytes(10), bytes(9) + b"x", "structure", (bytes(10), bytes(9) + b"x")),
    ],
)
def test_elements_of_each_type(compare, kind, one, other, location, values):
    (place,) = places(compare, npy(kind, (1,), one), npy(kind, (1,), other))
    assert place == ("", f"element [0] ({location})", *values)


def test_the_first_index_varies_fastest_in_the_order_of_fortran(compare):
    one, other = (npy("|u1", (2, 3), content, fortran=True, version=2) for content in (bytes(6), b"\0\0\0\0\1\0"))
    assert places(compare, one, other) == [("", "element [0, 2] (uint8)", b"0", b"1")]


def test_an_array_has_a_name_in_an_archive(compare):
    sides = []
    for number in (1, 2):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for name in ("seed", "weights"):
                with made.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                    member.write(npy("<f4", (2,), floats(1, number)))
        sides.append(file.getvalue())
    found = places(compare, *sides, "x.npz")
    assert [place[:2] for place in found] == [(f"{name}.npy", "element [1] (float32)") for name in ("seed", "weights")]


def test_objects_are_pickled(compare):
    one, other = (npy("|O", (1,), pickle.dumps([{"host": number}])) for number in "ab")
    assert places(compare, one, other) == [("", "npy objects, key [0].host", b'"a"', b'"b"')]


def test_shapes_and_types_are_told(compare):
    one, other = npy("<f4", (2,), floats(1, 2)), npy("<f4", (1, 2), floats(1, 2))
    assert places(compare, one, other) == [("", "npy header shape", b"(2,)", b"(1, 2)")]


@pytest.mark.parametrize("kind", ["<x9", "<f0", "<f99999999999", None, [()], [("a",)], [[["<f4"]]]])
def test_an_invalid_type_is_compared_by_bytes(compare, kind):
    (place,) = places(compare, npy(kind, (1,), b"\0\0\0\0"), npy(kind, (1,), b"\0\0\0\1"))
    assert place[2:] == (b"\0\0\0\0", b"\0\0\0\1") or place[1].startswith("byte 0x")


def test_complex_numbers_are_measured_by_their_modulus(compare):
    one, other = (npy("<c8", (2,), floats(1, 1, *last)) for last in ((0, 0), (3, 4)))
    (leaf,) = compare(one, other, "x.npy").leaves
    assert leaf.numbers == (
        "1 of 2 numbers differs; largest difference 5 at [1] (0.0+0.0j and 3.0+4.0j); largest relative difference 1"
    )
