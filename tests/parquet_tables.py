"""Parquet tables, written by hand as parquet.thrift says."""

import gzip


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def number(value):
    return 6, varint(value << 1 if value >= 0 else ~value << 1 | 1)


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


def numbers_table(*pages, kind=5, repetition=0, logical=None, converted=None, columns=1):
    """Return a table of columns of numbers, all with the same pages."""
    column = {1: number(kind), 3: number(repetition), 4: text("x")}
    if converted is not None:
        column[6] = number(converted)
    if logical is not None:
        column[10] = logical
    schema = listed(structure({4: text("schema"), 5: number(columns)}), *[structure(column)] * columns)
    body = b"PAR1" + b"".join(pages)
    meta = {1: number(kind), 3: listed(text("x")), 4: number(0), 5: number(1), 7: number(len(body) - 4), 9: number(4)}
    chunks = listed(*[structure({3: structure(meta)})] * columns)
    groups = listed(structure({1: chunks, 3: number(1)}))
    footer = structure({1: number(1), 2: schema, 3: number(1), 4: groups})[1]
    return body + footer + len(footer).to_bytes(4, "little") + b"PAR1"


def data_page(data, count, encoding=0, levels=3):
    own = structure({1: number(count), 2: number(encoding), 3: number(levels), 4: number(levels)})
    return structure({1: number(0), 2: number(len(data)), 3: number(len(data)), 5: own})[1] + data


def dictionary_page(data, count, encoding=0):
    own = structure({1: number(count), 2: number(encoding)})
    return structure({1: number(2), 2: number(len(data)), 3: number(len(data)), 7: own})[1] + data


def sized(levels):
    return len(levels).to_bytes(4, "little") + levels
