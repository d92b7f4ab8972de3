"""Parquet tables by footer and column; the files are written by hand, as parquet.thrift says."""

import base64
import gzip

import pytest

from pytest_ftc.comparison.members.formats.data.snappy import decode_snappy


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def number(value):
    return 6, varint(value << 1)


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return 8, varint(len(value)) + value


def listed(*values):
    kind = values[0][0]
    head = bytes([len(values) << 4 | kind]) if len(values) < 15 else bytes([0xF0 | kind]) + varint(len(values))
    return 9, head + b"".join(data for _, data in values)


def structure(fields):
    out, last = b"", 0
    for field, (kind, data) in fields.items():
        out += bytes([(field - last) << 4 | kind]) + data
        last = field
    return 12, out + b"\0"


def entry(key, value):
    return structure({1: text(key), 2: text(value)})


def page(data, codec, kind=0):
    packed = {
        0: data,
        1: varint(len(data)) + bytes([(len(data) - 1) << 2]) + data,
        2: gzip.compress(data, mtime=0),
        5: data,
    }
    head = structure({1: number(kind), 2: number(len(data)), 3: number(len(packed[codec]))})[1]
    return head + packed[codec]


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
        "parquet column a (compression or sizes of pages)",
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
