"""Samples of WAV files, by frame and channel."""

import io
import struct
import wave

import pytest


def recording(samples, *, width, channels=2, rate=8000):
    file = io.BytesIO()
    with wave.open(file, "wb") as made:
        made.setnchannels(channels)
        made.setsampwidth(width)
        made.setframerate(rate)
        made.writeframes(samples)
    return file.getvalue()


def places(compare, one, other):
    return [(leaf.location, leaf.control, leaf.experiment, leaf.numbers) for leaf in compare(one, other).leaves]


def test_a_sample_is_named_by_frame_and_channel(compare):
    one, other = (recording(struct.pack("<6h", 0, 1, 2, last, 4, 5), width=2) for last in (3, -3))
    assert places(compare, one, other) == [
        (
            "key data, element [1, 1] (int16)",
            b"3",
            b"-3",
            "1 of 6 numbers differs; largest difference 6 at [1, 1] (3 and -3); largest relative difference 2",
        )
    ]


@pytest.mark.parametrize(
    ("width", "one", "other", "values"),
    [
        (1, b"\x80\xff", b"\x80\xfe", (b"255", b"254")),
        (3, b"\0\0\0\xff\xff\xff", b"\0\0\0\1\0\0", (b"-1", b"1")),
        (4, struct.pack("<2i", 0, 7), struct.pack("<2i", 0, 8), (b"7", b"8")),
    ],
)
def test_samples_of_each_width(compare, width, one, other, values):
    ((location, *shown, numbers),) = places(compare, recording(one, width=width), recording(other, width=width))
    assert location.startswith("key data, element [0, 1]")
    assert tuple(shown) == values
    assert numbers


def test_samples_that_are_floating_point_numbers(compare):
    def floats(value):
        made = bytearray(recording(struct.pack("<2f", 0, value), width=4))
        made[20:22] = b"\3\0"
        return bytes(made)

    ((_, *values, _),) = places(compare, floats(0.5), floats(0.25))
    assert values == [b"0.5", b"0.25"]


def test_what_is_said_of_the_samples_is_named(compare):
    one, other = (recording(bytes(4), width=1, rate=rate) for rate in (8000, 8001))
    assert [location for location, *_ in places(compare, one, other)] == [
        "key fmt .frames per second",
        "key fmt .bytes per second",
    ]


def test_a_chunk_beyond_the_end_is_no_crash(compare):
    one, other = (b"RIFF\0\0\0\0WAVEdata\xff\xff\xff\xff" + end for end in (b"a", b"b"))
    assert compare(one, other).leaves
