"""Equal within a tolerance: only numbers may differ, and by at most so much."""

import io
import json
import math
import struct
import zipfile
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.comparison.tolerance.within import measure_within


def npy(values, kind="<f8", code="d", shape=None, fortran=False, pad=b""):
    head = repr({"descr": kind, "fortran_order": fortran, "shape": shape or (len(values),)}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    data = struct.pack(f"<{len(values)}{code}", *values)
    return b"\x93NUMPY\1\0" + len(head).to_bytes(2, "little") + head + data + pad


def npz(members, *, method=zipfile.ZIP_STORED, year=2020, level=None, zip64=True):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, (year, 1, 1, 0, 0, 0))
            entry.compress_type, entry._compresslevel = method, level
            with made.open(entry, "w", force_zip64=zip64) as member:
                member.write(content)
    return file.getvalue()


def safetensors(data, **metadata):
    head = json.dumps(
        {"__metadata__": metadata, "w": {"dtype": "F64", "shape": [len(data)], "data_offsets": [0, 8 * len(data)]}}
    )
    return len(head).to_bytes(8, "little") + head.encode() + struct.pack(f"<{len(data)}d", *data)


@pytest.fixture(scope="module")
def within(tmp_path_factory):
    folder = tmp_path_factory.mktemp("within")

    def within(one, other, name="x.npy", tolerance=1e-6, **limits):
        sides = [folder / "one", folder / "other"]
        for side, content in zip(sides, (one, other), strict=True):
            side.write_bytes(content.encode() if isinstance(content, str) else content)
        return measure_within(*sides, name, tolerance, Budget(Limits(**limits)))

    return within


doubles = st.floats(width=64)


@given(st.lists(st.tuples(doubles, doubles), min_size=1), st.floats(0, allow_infinity=False))
@example([(0.0, -0.0)], 0.0)
@example([(math.nan, 1.0)], 1e300)
@example([(math.inf, -math.inf)], 1e300)
@example([(1e308, -1e308)], 1.7e308)
def test_arrays_are_within_exactly_if_all_numbers_are(within, pairs, tolerance):
    one, other = (npy([pair[side] for pair in pairs]) for side in (0, 1))
    if one == other:
        return
    differ = [pair for pair in pairs if struct.pack("<d", pair[0]) != struct.pack("<d", pair[1])]
    good = all(math.isfinite(a) and math.isfinite(b) and abs(a - b) <= tolerance for a, b in differ)
    try:
        assert within(one, other, tolerance=tolerance).extent.largest == max(abs(a - b) for a, b in differ)
    except RefusedError:
        assert not good
    else:
        assert good


@given(st.data())
def test_any_other_bit_that_differs_is_refused(within, data):
    one, name = data.draw(
        st.sampled_from(
            [
                (npy([1.0, 2.0]), "x.npy"),
                (npz({"w.npy": npy([1.0, 2.0])}), "x.npz"),
                (npz({"w.npy": npy([1.0] * 9)}, method=zipfile.ZIP_DEFLATED), "x.npz"),
                (safetensors([1.0, 2.0], made="monday"), "x.safetensors"),
            ]
        )
    )
    bit = data.draw(st.integers(0, 8 * len(one) - 1))
    other = bytearray(one)
    other[bit // 8] ^= 1 << bit % 8
    try:
        found = within(one, bytes(other), name, tolerance=1e300)
    except RefusedError:
        return
    # Where it is accepted, it is a number: no archive, whose checksum would be wrong.
    assert name != "x.npz"
    assert found.extent.differing == 1
    assert bytes(other[:-16]) == one[:-16]


def test_what_is_told(within):
    one, other = (npz({"b.npy": npy([1.0]), "w.npy": npy([0.0, last], shape=(1, 2))}) for last in (0.5, 0.5 + 3e-9))
    assert within(one, other, "x.npz").describe_largest() == "largest difference 3e-09 in array w at [0, 1]"
    with pytest.raises(RefusedError, match=r"^array w: 1 of 2 numbers differs; largest difference 3e-09 at \[0, 1\]"):
        within(one, other, "x.npz", tolerance=1e-9)


def test_complex_numbers_are_within_by_their_modulus(within):
    one, other = npy([0.0, 0.0, 1.0, 1.0], "<c16", shape=(2,)), npy([3.0, 4.0, 1.0, 1.0], "<c16", shape=(2,))
    assert within(one, other, tolerance=5).describe_largest() == "largest difference 5 at [0]"
    with pytest.raises(RefusedError, match=r"^1 of 2 numbers differs; largest difference 5 at \[0\]"):
        within(one, other, tolerance=4.99)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("zip64", [True, False])
def test_members_of_archives(within, method, zip64):
    one, other = (npz({"w.npy": npy([*range(100), last])}, method=method, zip64=zip64) for last in (0.5, 0.5 + 3e-9))
    assert within(one, other, "x.npz").extent.differing == 1


WORDS = npz({"w.npy": npy([1.0])})


@pytest.mark.parametrize(
    ("one", "other", "name", "why"),
    [
        (npy([1.0]), npy([1.0, 2.0]), "x.npy", "shapes"),
        (npy([1.0, 2.0], shape=(1, 2)), npy([1.0, 2.0], shape=(2, 1)), "x.npy", "shapes"),
        (npy([1.0]), npy([1], "<i8", "q"), "x.npy", "types"),
        (npy([1.0], pad=b"a"), npy([1.5], pad=b"b"), "x.npy", "other bytes than numbers"),
        (npy([1.0], fortran=True), npy([1.5], fortran=False), "x.npy", "shapes"),
        (npy([True], "|b1", "?"), npy([False], "|b1", "?"), "x.npy", "other bytes than numbers"),
        (npy([7], "<M8[s]", "q"), npy([8], "<M8[s]", "q"), "x.npy", "other bytes than numbers"),
        (npz({"w.npy": npy([1.0])}), npz({"w.npy": npy([1.5])}, year=2021), "x.npz", "such as names or times"),
        (npz({"w.npy": npy([1.0])}), npz({"v.npy": npy([1.5])}), "x.npz", "such as names or times"),
        (npz({"w.npy": npy([1.0])}), npz({"w.npy": npy([1.5]), "v.npy": b""}), "x.npz", "such as names or times"),
        (npz({"w": b"monday"}), npz({"w": b"friday"}), "x.npz", "other text than numbers"),
        (WORDS, WORDS + b"rest", "x.npz", "more than members"),
        (
            npz({"w.npy": npy([1.0] * 999)}, method=8, level=1),
            npz({"w.npy": npy([1.0] * 999)}, method=8, level=9),
            "x.npz",
            "compressed otherwise",
        ),
        (safetensors([1.0], made="monday"), safetensors([1.5], made="friday"), "x.safetensors", "other bytes"),
        (safetensors([1.0]), safetensors([1.5], made="friday"), "x.safetensors", "differ"),
        (b"\0\1\2", b"\0\1\3", "x.bin", "none of the formats"),
        (npy([1.0])[:-1], npy([1.5])[:-1], "x.npy", "."),
        (npy([1.0]), b"\x93NUMPY", "x.npy", "could not be read"),
    ],
)
def test_other_differences_are_refused_by_their_reason(within, one, other, name, why):
    with pytest.raises(RefusedError, match=why):
        within(one, other, name, tolerance=1e9)


def test_a_checksum_that_alone_differs_is_refused(within):
    other = bytearray(WORDS)
    for crc in (14, WORDS.index(b"PK\1\2") + 16):
        other[crc : crc + 4] = zlib.crc32(b"other").to_bytes(4, "little")
    with pytest.raises(RefusedError, match="checksum"):
        within(WORDS, bytes(other), "x.npz")


def test_too_long_is_refused(within):
    one, other = (npy([first] * 100_000) for first in (1.0, 1.5))
    with pytest.raises(RefusedError, match="stopped after"):
        within(one, other, seconds=-1)


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ('{"a": 1.5, "b": [2, 3.25]}\n', '{"a": 1.5, "b": [2, 3.2500001]}\n', "key b[1]"),
        ('{"1.5": "2.5", "x": -1e-9}', '{"1.5": "2.5", "x": -2e-9}', "key x"),
        ('{"x": 0.5, "x": 0.25}', '{"x": 0.5, "x": 0.2500001}', "key x"),
    ],
)
def test_numbers_of_documents(within, one, other, place):
    assert within(one, other, "x.json").place == place


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ('{"t": "12:00", "a": 1.5}', '{"t": "12:01", "a": 1.5}', "other text"),
        ('{"t": "\\"1", "a": 1.5}', '{"t": "\\"2", "a": 1.5}', "other text"),
        ('{"a": 1.5, "b": 1.5}', '{"b": 1.5, "a": 1.5}', "other text"),
        ('{"a": 1.5}', '{"a": 1.5, "b": 1}', "other text"),
        ('{"a": 1.5}', '{"a":  1.5}', "other text"),
        ('{"a": 1}', '{"a": 1.0}', "types of numbers"),
        ('{"a": NaN}', '{"a": 1.0}', "other text"),
        ('{"a": 1.5}', '{"a": null}', "other text"),
        ('{"a": 1}', '{"a": 01}', "could not be read"),
        ("1.5", "1.6", "neither a table nor JSON"),
        ('{"a": 1.5, "a": "x"}', '{"a": 1.5, "a": "y"}', "other text"),
        ("[" * 100_000 + "1.0", "[" * 100_000 + "1.5", "could not be read"),
    ],
)
def test_other_documents_are_refused(within, one, other, why):
    with pytest.raises(RefusedError, match=why):
        within(one, other, "x.json", tolerance=1e9)


def test_numbers_are_compared_by_all_their_digits(within):
    one, other = "[1e300, 0.10000000000000000000]", "[1.00000000000000000000001e300, 0.10000000000000000000]"
    with pytest.raises(RefusedError, match="largest difference 1e\\+277"):
        within(one, other, "x.json", tolerance=1e270)


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ("a,b\n1,0.5\n", "a,b\n1,0.5000001\n", "row 2, column 2"),
        ('a,b\r\n"x, 1\r\n2",0.5\r\n', 'a,b\r\n"x, 1\r\n2",0.5000001\r\n', "row 2, column 2"),
        ("a;b\n .5;2\n", "a;b\n .5000001;2\n", "row 2, column 1"),
    ],
)
def test_numbers_of_tables(within, one, other, place):
    assert within(one, other, "x.csv").place == place


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("a,b\n1,0.5\n", "a,c\n1,0.5\n", "other text"),
        ("a,b\n1,0.5\n", "a,b\n1,0.5\n2,3\n", "shape"),
        ("a,b\n1,0.5\n", "a,b\n1, 0.5\n", "other text"),
        ("a,b\n1,2026-01-01\n", "a,b\n1,2026-01-02\n", "other text"),
        ('a,b\n1,"x, 0.5"\n', 'a,b\n1,"x, 0.6"\n', "other text"),
        ('a,b\n1,""0.5\n', 'a,b\n1,""0.6\n', "other text"),
        ("a,b\n1,nan\n", "a,b\n1,0.5\n", "other text"),
        ("a,b\n1,1\n", "a,b\n1,1.0\n", "types of numbers"),
        ("a,b\n1,²\n", "a,b\n1,³\n", "other text"),
        ("a,b\r1,1\n", "a,b\n1,1\n", "other text"),
    ],
)
def test_other_tables_are_refused(within, one, other, why):
    with pytest.raises(RefusedError, match=why):
        within(one, other, "x.csv", tolerance=1e9)
