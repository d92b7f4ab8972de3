"""Pixels of PNG images, which the tests filter, interlace and pack by themselves."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.comparison.members.formats.data.pixels import read_layout, read_pixels
from pytest_ftc.comparison.members.limits import Budget, Limits
from pytest_ftc.comparison.members.span import span_of

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
FORMS = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 4), (3, 8), (4, 8), (4, 16), (6, 8), (6, 16)]  # fmt: skip
# The passes by a picture of their numbers in a block of eight by eight pixels, as in the specification.
ADAM7 = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]


def pack(samples, depth):
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[start : start + 8], 2) for start in range(0, len(bits), 8))


def paeth(a, b, c):
    return min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]


def filtered(line, above, kind, step):
    out = bytearray([kind])
    for index, value in enumerate(line):
        a, c = (side[index - step] if index >= step else 0 for side in (line, above))
        b = above[index]
        out.append((value - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) % 256)
    return bytes(out)


def lines(image, depth, channels, kinds, interlaced):
    """Return the lines of an image, rows of pixels with a tuple of samples each; `kinds` of filters are cycled through."""
    step, out, count = max(1, channels * depth // 8), b"", 0
    for number in "1234567" if interlaced else [None]:
        above = None
        for row, pixels in enumerate(image):
            chosen = [p for column, p in enumerate(pixels) if number in (None, ADAM7[row % 8][column % 8])]
            if not chosen:
                continue
            line = pack([sample for pixel in chosen for sample in pixel], depth)
            out += filtered(line, above or bytes(len(line)), kinds[count % len(kinds)], step)
            above, count = line, count + 1
    return out


def header(image, depth, color, interlaced=False):
    return struct.pack(">IIBBBBB", len(image[0]), len(image), depth, color, 0, 0, interlaced)


def png(image, depth=8, color=2, kinds=(0,), interlaced=False, level=9):
    data = zlib.compress(lines(image, depth, CHANNELS[color], kinds, interlaced), level)
    listed = [(b"IHDR", header(image, depth, color, interlaced)), (b"IDAT", data), (b"IEND", b"")]
    packed = (struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in listed)  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@given(st.data(), st.sampled_from(FORMS), st.integers(1, 11), st.integers(1, 11), st.booleans())
def test_any_image_is_read_as_it_was_written(data, form, width, height, interlaced):
    color, depth = form
    channels = CHANNELS[color]
    random = data.draw(st.randoms(use_true_random=False))
    image = [
        [tuple(random.randrange(1 << depth) for _ in range(channels)) for _ in range(width)] for _ in range(height)
    ]
    kinds = data.draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    layout = read_layout(span_of(header(image, depth, color, interlaced)))
    found = read_pixels(layout, span_of(lines(image, depth, channels, kinds, interlaced)), Budget(Limits()))
    content = found.content.read(0, found.content.size)
    expected = [sample for row in image for pixel in row for sample in pixel]
    assert struct.unpack(f">{len(expected)}{'H' if depth == 16 else 'B'}", content) == tuple(expected)
    assert found.shape == (height, width, channels)


def plain(*changes, width=5, height=4):
    image = [[(row, column, 7) for column in range(width)] for row in range(height)]
    for row, column, pixel in changes:
        image[row][column] = pixel
    return image


def test_pixels_are_told_by_row_column_and_channel(compare):
    other = plain((1, 2, (1, 2, 9)), (3, 4, (250, 4, 7)))
    found = compare(png(plain(), kinds=(4,)), png(other, kinds=(4, 3, 2, 1)), "x.png").leaves
    numbers = (
        "2 of 60 numbers differ; largest difference 247 at pixel row 3, column 4, red (3 and 250); "
        "largest relative difference 0.988"
    )
    assert [(leaf.location, leaf.control, leaf.experiment, leaf.numbers) for leaf in found] == [
        ("PNG image data, pixel row 1, column 2, blue (uint8)", b"7", b"9", numbers),
        ("PNG image data, pixel row 3, column 4, red (uint8)", b"3", b"250", numbers),
    ]


def test_places_in_a_palette_are_no_amounts(compare):
    one, other = (png([[(0,), (last,)]], 4, 3) for last in (1, 2))
    (leaf,) = compare(one, other, "x.png").leaves
    assert (leaf.location, leaf.control, leaf.experiment, leaf.numbers) == (
        "PNG image data, pixel row 0, column 1, palette index (uint4)", b"1", b"2", "",
    )  # fmt: skip


def test_other_filters_of_the_same_pixels_are_told_as_that(compare):
    (leaf,) = compare(png(plain(), kinds=(0,)), png(plain(), kinds=(1,)), "x.png").leaves
    assert leaf.location == "PNG IDAT stream (compression level, filters or tool)"


@pytest.mark.parametrize(
    ("image", "depth", "color", "kinds"),
    [
        ([[(1,)], [(2,)]], 8, 0, (0, 5)),
        ([[(1,)], [(2,)]], 8, 7, (0,)),
        ([[(1,)], [(2,)]], 3, 0, (0,)),
    ],
    ids=["filter", "color", "depth"],
)
def test_an_invalid_image_is_compared_by_bytes(compare, image, depth, color, kinds):
    def broken(last):
        made = [(b"IHDR", header(image, depth, color)), (b"IDAT", zlib.compress(bytes([kinds[0], 1, kinds[-1], last])))]
        parts = (struct.pack(">I", len(data)) + kind + data + b"crc!" for kind, data in [*made, (b"IEND", b"")])
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

    (leaf,) = compare(broken(2), broken(3), "x.png").leaves
    assert leaf.location == "PNG image data, byte 0x3"


@pytest.mark.parametrize(("width", "height"), [(1 << 31, 1 << 31), (3, 1), (0, 1)])
def test_an_image_of_another_size_than_its_lines_is_not_read(width, height):
    layout = read_layout(span_of(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)))
    assert layout is None or read_pixels(layout, span_of(bytes(3)), Budget(Limits())) is None
