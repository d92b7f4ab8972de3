"""HDF5 files by object, attribute and element; the files are written by hand, as the specification 3.0 says."""

import struct
import zlib

import pytest

UNDEFINED = 2**64 - 1
INT64 = b"\x10\x08\0\0" + struct.pack("<IHH", 8, 0, 64) + bytes(4)
FLOAT32 = b"\x11\x20\x1f\0" + struct.pack("<I", 4) + bytes(12)
TEXT8 = b"\x13\0\0\0" + struct.pack("<I", 8)
VARIABLE = b"\x19\1\0\0" + struct.pack("<I", 16) + b"\x10\0\0\0" + struct.pack("<I", 1) + bytes(4)


class File:
    """Bytes that grow, and the addresses of what was put."""

    def __init__(self, start):
        self.data = bytearray(start)

    def put(self, content):
        self.data += bytes(-len(self.data) % 8)
        address = len(self.data)
        self.data += content
        return address


def space(*dims):
    return b"\1" + bytes([len(dims)]) + bytes(6) + b"".join(struct.pack("<Q", each) for each in dims)


def fill(data):
    return data + bytes(-len(data) % 8)


def attribute(name, type_, shape, value):
    name = name.encode() + b"\0"
    sizes = struct.pack("<BBHHH", 1, 0, len(name), len(type_), len(shape))
    return 12, sizes + fill(name) + fill(type_) + fill(shape) + value


def old_header(*messages):
    body = b"".join(struct.pack("<HHB3x", kind, len(fill(data)), 0) + fill(data) for kind, data in messages)
    return struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body


def old_file(number, layout=None):
    """Write a group with one data set, both with attributes."""
    file = File(96)
    heap = file.put(b"GCOL\1\0\0\0" + struct.pack("<QHHIQ", 64, 1, 1, 0, 6) + b"host-%d" % number + bytes(18))
    if layout is None:
        layout = b"\3\1" + struct.pack("<QQ", file.put(struct.pack("<4f", 0, 1, 2, number)), 16)
    elif layout == "chunks":
        data = zlib.compress(b"".join(bytes([value, 0, 0, 0]) for value in (0, 0, number, 0)))
        chunk = file.put(data)
        key = struct.pack("<IIQQ", len(data), 0, 2, 0)
        tree = file.put(b"TREE\1\0\1\0" + struct.pack("<QQ", UNDEFINED, UNDEFINED) + key + struct.pack("<Q", chunk))
        layout = b"\3\2\2" + struct.pack("<QII", tree, 4, 4)
    made = old_header(
        (1, space(4)), (3, FLOAT32), (8, layout), (11, b"\1\1" + bytes(6) + struct.pack("<HHHHI4x", 1, 0, 0, 1, 6)),
        attribute("unit", TEXT8, space(), b"unit %d\0\0" % number),
        (18, b"\1\0\0\0" + struct.pack("<I", 1_600_000_000 + number)),
    )  # fmt: skip
    weights = file.put(made)
    names = file.put(b"\0" * 8 + b"weights\0link\0\0\0\0" + b"/target%d\0" % number)
    local = file.put(b"HEAP\0\0\0\0" + struct.pack("<QQQ", 40, UNDEFINED, names))
    symbols = struct.pack("<QQII16x", 8, weights, 0, 0) + struct.pack("<QQIII12x", 16, UNDEFINED, 2, 0, 24)
    node = file.put(b"SNOD\1\0\2\0" + symbols)
    tree = file.put(b"TREE\0\0\1\0" + struct.pack("<QQQQQ", UNDEFINED, UNDEFINED, 0, node, 8))
    reference = struct.pack("<IQI", 6, heap, 1)
    root = file.put(
        old_header(
            (17, struct.pack("<QQ", tree, local)),
            attribute("host", VARIABLE, space(), reference),
            attribute("n", INT64, space(), struct.pack("<q", number)),
        )
    )
    head = b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\4\0\x10\0\0\0\0\0"
    head += struct.pack("<QQQQQQ", 0, UNDEFINED, len(file.data), UNDEFINED, 0, root)
    file.data[: len(head)] = head
    return bytes(file.data)


def new_file(number, heap=False):
    """Write a root with times, an attribute and a link to a data set in its own header."""

    def message(kind, data):
        return struct.pack("<BHB", kind, len(data), 0) + data

    def header(times, *messages):
        body = b"".join(message(*each) for each in messages)
        head = b"OHDR\2" + bytes([0x21 if times else 1]) + times + struct.pack("<H", len(body)) + body
        return head + struct.pack("<I", zlib.crc32(head))

    file = File(48)
    child = file.put(
        header(
            b"",
            (1, b"\2\1\0\1" + struct.pack("<Q", 2)),
            (3, FLOAT32),
            (8, b"\3\0\x08\0" + struct.pack("<2f", 1, number)),
        )
    )
    value = b"\3\0" + struct.pack("<HHHB", 2, len(TEXT8), 4, 0) + b"a\0" + TEXT8 + b"\2\0\0\0" + b"made %d\0\0" % number
    links = [(6, b"\1\0\1x" + struct.pack("<Q", child))]
    if heap:
        links.append((2, b"\0\0" + struct.pack("<QQ", file.put(b"hidden %d" % number), UNDEFINED)))
    root = file.put(header(struct.pack("<IIII", 5, 1_600_000_000 + number, 5, 5), (12, value), *links))
    head = b"\x89HDF\r\n\x1a\n\2\x08\x08\0" + struct.pack("<QQQQ", 0, UNDEFINED, len(file.data), root)
    file.data[:48] = head + struct.pack("<I", zlib.crc32(head))
    return bytes(file.data)


def look(found):
    return [(leaf.field.value, leaf.location, leaf.control, leaf.experiment) for leaf in found.leaves]


def test_times_attributes_links_and_elements_have_names(compare):
    found = compare(old_file(1), old_file(2), "x")
    assert look(found) == [
        ("mtime", "HDF5 /weights modification time", b"1600000001", b"1600000002"),
        ("content", "key /.attributes.host", b'"host-1"', b'"host-2"'),
        ("content", "key /.attributes.n", b"1", b"2"),
        ("content", "key /.link link", b"/target1", b"/target2"),
        ("content", "key /weights.attributes.unit", b'"unit 1"', b'"unit 2"'),
        ("content", "key /weights.data, element [3] (float32)", b"1", b"2"),
    ]
    assert not found.cut


def test_a_chunk_is_decompressed_and_told_by_its_first_index(compare):
    found = look(compare(old_file(1, "chunks"), old_file(2, "chunks")))
    assert ("content", "key /weights.data.chunk [2], element [2] (float32)") in [place[:2] for place in found]


def test_the_new_format(compare):
    found = compare(new_file(1), new_file(2))
    assert look(found) == [
        ("mtime", "HDF5 / modification time", b"1600000001", b"1600000002"),
        ("content", "key /.attributes.a", b'"made 1"', b'"made 2"'),
        ("content", "key /x.data, element [1] (float32)", b"1", b"2"),
    ]
    assert not found.cut


def test_what_is_in_a_heap_that_is_not_read_is_told_by_bytes_and_said(compare):
    found = compare(new_file(1, heap=True), new_file(2, heap=True))
    assert found.cut == ("HDF5 /: what is in a fractal heap was compared by bytes",)
    assert [(leaf.location[:4], leaf.note) for leaf in found.leaves][-1] == ("byte", "")


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"TREE\0\0", b"TREE\0\1"), (b"TREE", b"XREE"), (b"\0\x08\x08\0\4", b"\0\x04\x08\0\4"), (b"GCOL", b"XCOL")],
    ids=["circle", "no tree", "short addresses", "no heap"],
)
def test_a_damaged_file_is_compared_by_bytes(compare, old, new):
    one, other = (old_file(number).replace(old, new) for number in (1, 2))
    found = compare(one, other)
    assert found.leaves and "not examined: ValueError" in found.leaves[0].note
