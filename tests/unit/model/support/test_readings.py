"""Reading bytes as what they stand for, and finding the place where they stand."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model.support.readings import READINGS, read_all, texts_in

VALUE = b"a v\xc3\xa4lue, \"quoted\" 'and' \\so on\n"


def readings_with(data, value):
    return [(reading, read) for reading, read in read_all(data) if value in read]


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.booleans())
def test_json_is_read_back(text, ascii_only):
    written = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode()
    value = text.encode()
    # Control characters other than these are not unescaped by their letters, but secrets hold none.
    if not set(value) & {8, 12} and written != value:
        assert readings_with(written, value)


DUMPS = (
    *(["xxd"], ["od", "-tx1"], ["hexdump", "-C"], ["xxd", "-i"]),
    *(["xxd", "-e"], ["xxd", "-b"], ["od", "-An", "-tx2"], ["od", "-tx4"], ["od"]),
)


@pytest.mark.parametrize("dump", DUMPS)
def test_what_is_read_in_columns_is_found_again_in_the_dump(dump):
    data = bytes(range(7)) + VALUE + bytes(range(30))
    written = subprocess.run(dump, input=data, capture_output=True, check=True).stdout
    hexadecimal = VALUE.hex().encode()
    for reading, read in readings_with(written, hexadecimal):
        start = read.index(hexadecimal)
        ((begin, end),) = reading.locate(written, [(start, start + len(hexadecimal))])
        assert len(hexadecimal) <= end - begin <= len(written) - 40
    assert readings_with(written, hexadecimal)


@given(st.text("ab\\u00n19%=:; \t\n0x7,&#", max_size=60), st.sampled_from(READINGS))
def test_places_lie_within_what_was_read_and_in_order(text, reading):
    data = text.encode()
    read = reading.apply(data)
    spans = [(start, start + 1) for start in range(len(read))]
    located = reading.locate(data, spans)
    assert all(0 <= start < end <= len(data) for start, end in located)
    assert located == sorted(located)


@given(st.binary())
def test_hostile_bytes_are_read(data):
    for reading in READINGS:
        reading.apply(data)
    assert len(texts_in(data)) <= len(data) + 1


@pytest.mark.parametrize("data", [b" " * (1 << 20) + b"\n", b"=" + b" " * (1 << 20), b"0000 " + b"ab " * (1 << 18)])
def test_reading_takes_time_in_proportion(data):
    assert sum(len(read) for _, read in read_all(data)) <= 8 * len(data)
