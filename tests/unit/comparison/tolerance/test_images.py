"""Images whose pixels are equal within a tolerance."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.tolerance.refusal import RefusedError
from pytest_ftc.comparison.tolerance.within import measure_within


def png(samples, *extra, depth=8, color=0, level=9, pieces=1, rest=b"", packed=b"", width=0):
    """Return an image of one row, with `extra` chunks before its pixels."""
    row = struct.pack(f">{len(samples)}{'H' if depth == 16 else 'B'}", *samples)
    data = zlib.compress(b"\0" + row, level) + packed
    size = -(-len(data) // pieces)
    head = struct.pack(">IIBBBBB", width or len(samples), 1, depth, color, 0, 0, 0)
    image = [(b"IDAT", data[start : start + size]) for start in range(0, len(data), size)]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in [(b"IHDR", head), *extra, *image, (b"IEND", b"")]) + rest  # fmt: skip


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@pytest.fixture(scope="module")
def within(tmp_path_factory):
    folder = tmp_path_factory.mktemp("within")

    def within(one, other, tolerance=1, **limits):
        sides = [folder / "one", folder / "other"]
        for side, content in zip(sides, (one, other), strict=True):
            side.write_bytes(content)
        return measure_within(*sides, "x.png", tolerance, Budget(Limits(**limits)))

    return within


@pytest.mark.parametrize("depth", [8, 16])
def test_pixels_may_differ_by_the_tolerance(within, depth):
    one, other = (png([1, 2, last, 100], depth=depth, pieces=last) for last in (3, 5))
    assert within(one, other, 2).describe_largest() == "largest difference 2 at pixel row 0, column 2, gray"
    with pytest.raises(RefusedError, match=r"^1 of 4 numbers differs; largest difference 2 at pixel row 0, column 2"):
        within(one, other, 1)


@given(st.data())
def test_any_other_bit_that_differs_is_refused(within, data):
    one = png([1, 2, 3], (b"tEXt", b"Creation Time\0Monday"))
    other = bytearray(png([1, 2, 4], (b"tEXt", b"Creation Time\0Monday")))
    bit = data.draw(st.integers(0, 8 * len(other) - 1))
    other[bit // 8] ^= 1 << bit % 8
    with pytest.raises(RefusedError):
        within(one, bytes(other), 255)


ONE = png([1, 2])


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (png([1, 2], (b"tEXt", b"a\0b")), png([1, 3], (b"tEXt", b"a\0c")), "other chunks"),
        (png([1, 2], (b"tIME", b"1234567")), png([1, 3]), "other chunks"),
        (png([1, 2], (b"aaAa", b""), (b"bbBb", b"")), png([1, 3], (b"bbBb", b""), (b"aaAa", b"")), "other chunks"),
        (ONE, png([1, 3], rest=b"x"), "more than an image"),
        (ONE, png([1, 3], packed=b"x"), "more or less data"),
        (ONE, png([1, 3], width=1), "more or less data"),
        (ONE, png([1, 2], level=0), "packed otherwise"),
        (png([1, 2], color=3), png([1, 3], color=3), "palette"),
        (png([1, 2], depth=4), png([1, 3], depth=4), "palette, or less"),
        (ONE, png([1, 3], (b"IDAT", b""), (b"aaAa", b"")), "not in a row"),
        (ONE, png([1, 3])[:-4] + b"crc!", "checksum"),
        (ONE, png([1, 3])[:40], "could not be read"),
        (ONE, b"\x88" + png([1, 3])[1:], "other chunks"),
        (ONE, b"\0" + ONE, "could not be read"),
    ],
)
def test_other_differences_are_refused_by_their_reason(within, one, other, why):
    with pytest.raises(RefusedError, match=why):
        within(one, other, 255)
