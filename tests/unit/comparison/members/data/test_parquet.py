"""Parquet tables by footer and column; the files are written by hand, as parquet.thrift says."""

import base64
import gzip
import itertools
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parquet_tables import (
    data_page,
    dictionary_page,
    entry,
    listed,
    number,
    numbers_table,
    page,
    sized,
    structure,
    text,
    varint,
)

from pytest_ftc.comparison.members.formats.data.columns.encodings import decode_delta, decode_hybrid
from pytest_ftc.comparison.members.formats.data.snappy import decode_snappy


def table(columns, codec=1, writer="writer 1", metadata=(("made", "1"),), rows=3):
    body, chunks = b"PAR1", []
    for name, pages in columns.items():
        start = len(body)
        body += pages
        meta = {
            1: number(2),
            3: listed(text(name)),
            4: number(codec),
            5: number(3),
            7: number(len(pages)),
            9: number(start),
        }
        chunks.append(structure({2: number(start), 3: structure(meta)}))
    fields = {
        1: number(1),
        2: listed(*(structure({1: number(2), 4: text(name)}) for name in ("schema", *columns))),
        3: number(rows),
        4: listed(structure({1: listed(*chunks), 2: number(len(body)), 3: number(rows)})),
        5: listed(*(entry(*each) for each in metadata)),
        6: text(writer),
    }
    footer = structure(fields)[1]
    return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def places(compare, one, other):
    return [(leaf.location, leaf.control, leaf.experiment) for leaf in compare(one, other, "x.parquet").leaves]


def test_who_wrote_it_and_the_metadata_are_told_by_name(compare):
    columns = {"host": page(b"a", 1)}
    one, other = (table(columns, writer=f"writer {n}", metadata=[("made", f"{n}"), ("by", "me")]) for n in (1, 2))
    assert places(compare, one, other) == [
        ("key key_value_metadata.made", b'"1"', b'"2"'),
        ("key created_by", b'"writer 1"', b'"writer 2"'),
    ]


@pytest.mark.parametrize("codec", [0, 1, 2])
def test_columns_are_read_page_by_page(compare, codec):
    one, other = (
        table({"id": page(b"ids", codec), "host": page(b"words", codec, 2) + page(b"host-%d" % n, codec)}, codec)
        for n in (1, 2)
    )
    assert places(compare, one, other) == [("parquet column host, line 1", b"wordshost-1", b"wordshost-2")]


def test_a_column_in_a_codec_without_reader_is_compared_as_it_is_stored(compare):
    one, other = (table({"host": page(b"host-%d" % n, 5)}, 5) for n in (1, 2))
    ((location, *_),) = places(compare, one, other)
    assert location.startswith("parquet column host, string 1, byte 0x")


def test_the_schema_of_arrow_is_decoded(compare):
    one, other = (
        table({"a": page(b"a", 1)}, metadata=[("ARROW:schema", base64.b64encode(b"\1day %d" % n))]) for n in (1, 2)
    )
    assert places(compare, one, other) == [("key key_value_metadata.ARROW:schema", b"\1day 1", b"\1day 2")]


def test_a_table_with_one_more_row_group_field_is_told_by_offsets(compare):
    one, other = table({"a": page(b"a", 1)}, 1), table({"a": page(b"a", 0)}, 0)
    locations = [location for location, *_ in places(compare, one, other)]
    assert locations == [
        "key row_groups[0].columns.a.meta_data.codec",
        "parquet column a (encoding, compression or sizes of pages)",
    ]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x05\x10hello", b"hello"),
        (b"\x0a\x04ab\x11\x02", b"ababababab"),
        (b"\x46\xf0\x3f" + b"x" * 64 + b"\x16\x40\x00", b"x" * 70),
        (b"\x02\x00a\x03\x01\x00\x00\x00", b"aa"),
    ],
    ids=["literal", "overlapping copy", "long literal", "wide copy"],
)
def test_snappy(data, expected):
    assert decode_snappy(data, 100) == expected


@pytest.mark.parametrize("data", [b"\x02\x05\x01", b"\x05\x00a", b"\x80\x80\x80\x80\x10", b"\xff" * 11])
def test_invalid_snappy(data):
    with pytest.raises((ValueError, IndexError)):
        decode_snappy(data, 100)


@pytest.mark.parametrize("footer", [b"\x19\xfc\xff\xff\xff\x7f", b"\x1c" * 5000, b"\x1e\0", b"\x29\x9f"], ids=range(4))
def test_an_invalid_footer_is_compared_by_bytes(compare, footer):
    one, other = (b"PAR1" + end + footer + len(footer).to_bytes(4, "little") + b"PAR1" for end in (b"\0a", b"\0b"))
    (leaf,) = compare(one, other, "x").leaves
    assert leaf.location == "byte 0x5"


TABLES = Path(__file__).parents[1] / "tables"


@pytest.mark.parametrize(
    ("written", "loss", "scores"),
    [
        (
            "v1",
            "parquet column loss, row group 1, row 2",
            "parquet column scores.list.element, row group 1, row 3, value 0",
        ),
        ("v2", "parquet column loss, row 2", "parquet column scores.list.element, row 3, value 0"),
    ],
)
def test_numbers_are_told_by_column_and_row(compare, written, loss, scores):
    """The tables were written by PyArrow 26: with dictionaries, or as differences and split into streams."""
    one, other = (gzip.decompress((TABLES / f"pyarrow-{written}-{number}.gz").read_bytes()) for number in (1, 2))
    found = compare(one, other, "x.parquet")
    assert [(leaf.location, leaf.control, leaf.experiment) for leaf in found.leaves] == [
        (f"{loss} (float64)", b"0.25", b"0.2500000000000001"),
        (f"{scores} (float64)", b"3.0", b"3.5"),
    ]
    total = {"v1": 2, "v2": 4}[written]
    assert found.leaves[0].numbers == (
        f"1 of {total} numbers differs; largest difference 1.11e-16 at row 2 (0.25 and 0.2500000000000001); "
        "largest relative difference 4.44e-16"
    )
    assert not found.cut


def doubles(*values):
    return struct.pack(f"<{len(values)}d", *values)


@pytest.mark.parametrize(
    ("kind", "converted", "logical", "location"),
    [
        (1, None, None, "int32"),
        (1, 13, None, "uint32"),
        (1, None, structure({10: structure({1: (3, b"\x20"), 2: (2, b"")})}), "uint32"),
        (1, 17, structure({10: structure({1: (3, b"\x20"), 2: (1, b"")})}), "int32"),
        (4, None, None, "float32"),
    ],
)
def test_types_of_numbers(compare, kind, converted, logical, location):
    one, other = (
        numbers_table(data_page(struct.pack("<I", value), 1), kind=kind, converted=converted, logical=logical)
        for value in (0, 0xC0000000)
    )
    value = {"int32": b"-1073741824", "uint32": b"3221225472", "float32": b"-2"}[location]
    assert places(compare, one, other) == [(f"parquet column x, row 0 ({location})", b"0", value)]


@pytest.mark.parametrize(
    ("kind", "converted", "logical"), [(1, 6, None), (2, None, structure({8: structure({})})), (3, None, None)]
)
def test_dates_and_times_are_no_numbers(compare, kind, converted, logical):
    one, other = (
        numbers_table(data_page(bytes(11) + last, 1), kind=kind, converted=converted, logical=logical)
        for last in (b"\1", b"\2")
    )
    ((location, *_),) = places(compare, one, other)
    assert location == "parquet column x, byte 0xb"


def test_a_value_that_is_missing_is_told(compare):
    # A run of two, and a group of eight levels of one bit.
    one = numbers_table(data_page(sized(b"\4\1") + doubles(1, 2), 2), repetition=1)
    other = numbers_table(data_page(sized(b"\3\2") + doubles(2), 2), repetition=1)
    (leaf,) = compare(one, other, "x.parquet").leaves
    assert (leaf.location, leaf.control, leaf.experiment) == ("parquet column x, row 0 (float64)", b"1.0", b"null")
    assert leaf.numbers == "1 of 2 numbers differs; 1 of them is NaN or infinite"


def test_rows_of_lists_of_other_lengths_are_compared_by_bytes(compare):
    # Two rows of one value, and one row of two.
    one, other = (
        numbers_table(data_page(sized(levels) + sized(b"\4\1") + doubles(1, last), 2), repetition=2)
        for levels, last in ((b"\4\0", 2), (b"\3\2", 3))
    )
    assert all(" byte 0x" in location for location, *_ in places(compare, one, other))


def test_the_same_numbers_in_another_encoding_are_told_as_that(compare):
    one = numbers_table(data_page(doubles(1, 2, 1), 3))
    other = numbers_table(dictionary_page(doubles(1, 2), 2), data_page(b"\1\3\2", 3, 8))
    locations = [location for location, *_ in places(compare, one, other)]
    assert locations == ["parquet column x (encoding, compression or sizes of pages)"]


@pytest.mark.parametrize(
    "pages",
    [
        lambda host: (data_page(doubles(1) + host, 1),),
        lambda host: (dictionary_page(doubles(1) + host.ljust(8), 2), data_page(b"\1\2\0", 1, 8)),
        lambda host: (dictionary_page(doubles(1), 1), data_page(b"\1\2\0" + host, 1, 8)),
    ],
    ids=["values", "dictionary", "indices"],
)
def test_what_is_beside_the_numbers_is_not_overlooked(compare, pages):
    one, other = (numbers_table(*pages(host)) for host in (b"alpha", b"gamma"))
    (leaf,) = compare(one, other, "x.parquet").leaves
    assert b"alpha" in leaf.control
    assert b"gamma" in leaf.experiment


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (data_page(doubles(1), 2), "a page that ends too early"),
        (data_page(doubles(1), 1, 7), "values in the encoding 7, which is not read"),
        (data_page(doubles(1), 1 << 40), "a column of more than 2000000 values"),
        (data_page(doubles(1), -1), "a column of more than 2000000 values"),
        (dictionary_page(doubles(1), 1) + data_page(b"\1\2\1", 1, 8), "list index out of range"),
        (dictionary_page(doubles(1), 1) + data_page(b"\1" + bytes(1000), 1, 8), "an empty run"),
        (dictionary_page(doubles(1), 1) + data_page(b"\xff\3" + bytes(1000), 9, 8), "packed numbers are too wide"),
    ],
)
def test_numbers_that_cannot_be_read_are_compared_by_bytes(compare, page, why):
    found = compare(numbers_table(page), numbers_table(data_page(doubles(2), 1)), "x.parquet")
    assert all(leaf.location.startswith("parquet column x, ") and " byte 0x" in leaf.location for leaf in found.leaves)
    assert [
        note for note in found.cut if note.startswith("parquet column x: the numbers were not read") and why in note
    ]


@given(st.lists(st.integers(0, (1 << 20) - 1), min_size=1, max_size=100), st.integers(20, 32))
def test_packed_numbers(numbers, width):
    packed = sum(number << width * index for index, number in enumerate(numbers))
    groups = -(-len(numbers) // 8)
    data = varint(groups << 1 | 1) + packed.to_bytes(groups * width, "little")
    assert decode_hybrid(data, width, len(numbers)) == (numbers, len(data))


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 255)), max_size=9), st.integers(0, 3))
def test_runs(runs, less):
    numbers = [value for length, value in runs for _ in range(length)]
    numbers = numbers[: max(0, len(numbers) - less)]
    data = b"".join(varint(length << 1) + bytes([value]) for length, value in runs)
    assert decode_hybrid(data, 8, len(numbers))[0] == numbers


@given(st.lists(st.integers(-(1 << 63), (1 << 63) - 1), min_size=1, max_size=20))
def test_differences(numbers):
    def zigzag(value):
        return varint((value << 1 ^ value >> 63) & (1 << 64) - 1)

    data = varint(32) + varint(1) + varint(len(numbers)) + zigzag(numbers[0])
    if len(numbers) > 1:
        # A block of 32 differences in one part, of 64 bits each, from a least one of 0.
        apart = [(b - a) % (1 << 64) for a, b in itertools.pairwise(numbers)]
        data += zigzag(0) + bytes([64]) + struct.pack("<32Q", *apart, *[0] * (32 - len(apart)))
    assert decode_delta(data, 8, len(numbers)) == (struct.pack(f"<{len(numbers)}q", *numbers), len(data))
