"""ONNX models by the names of their fields; the files are written by hand, as protobuf.dev says."""

import struct

import pytest


def varint(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number, value):
    """Return a field: a number, a text, bytes, or a float."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value % (1 << 64))
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(key, value):
    return field(1, key) + field(2, value)


def tensor(name, dims, kind, raw):
    return b"".join(field(1, each) for each in dims) + field(2, kind) + field(8, name) + field(9, raw)


def node(name, kind, *attributes):
    return field(3, name) + field(4, kind) + b"".join(field(5, each) for each in attributes)


def model(*fields, graph=b""):
    return field(1, 8) + b"".join(fields) + field(7, graph)


def places(compare, one, other, name="x.onnx"):
    return [(leaf.location, leaf.control, leaf.experiment) for leaf in compare(one, other, name).leaves]


def make(number):
    scale = field(1, "alpha") + field(2, float(number))
    made = node("scale", "Gemm", scale) + field(6, f"/one/{number}.py")
    graph = field(1, made) + field(5, tensor("w", (2, 2), 1, struct.pack("<4f", 0, 1, 2, number)))
    graph += field(5, tensor("b", (1,), 7, struct.pack("<q", -number)))
    return model(field(2, f"writer {number}"), field(14, entry("date", f"day {number}")), graph=graph)


def test_fields_nodes_tensors_and_metadata_are_told_by_name(compare):
    assert places(compare, make(1), make(2)) == [
        ("key producer_name", b'"writer 1"', b'"writer 2"'),
        ("key metadata_props.date", b'"day 1"', b'"day 2"'),
        ("key graph.node.scale.attribute.alpha.f", b"1.0", b"2.0"),
        ("key graph.node.scale.doc_string", b'"/one/1.py"', b'"/one/2.py"'),
        ("key graph.initializer.w.raw_data, element [1, 1] (float32)", b"1", b"2"),
        ("key graph.initializer.b.raw_data, element [0] (int64)", b"-1", b"-2"),
    ]


def test_nodes_without_names_are_told_by_number_and_order(compare):
    one, other = (model(graph=field(1, node("", "Relu")) + field(1, node("", kind))) for kind in ("Cos", "Sin"))
    assert places(compare, one, other) == [("key graph.node[1].op_type", b'"Cos"', b'"Sin"')]
    names = [field(5, tensor(name, (1,), 2, b"x")) for name in ("one", "two")]
    ((location, *orders),) = places(compare, model(graph=b"".join(names)), model(graph=b"".join(reversed(names))))
    assert (location, orders) == ("order of keys in graph.initializer", [b"one\ntwo\n", b"two\none\n"])


def test_unknown_fields_are_told_by_number(compare):
    assert places(compare, model(field(77, b"a")), model(field(77, b"b"))) == [("key field 77, byte 0x0", b"a", b"b")]


def nested(number):
    graph = node("", "x") + bytes([number])
    for _ in range(2000):
        graph = field(1, field(5, field(6, graph)))
    return model(graph=graph)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"\x08\x08\x3a\xff\xff\xff\x7f1", b"\x08\x08\x3a\xff\xff\xff\x7f2"),
        (b"\x08\x08\x0c1", b"\x08\x08\x0c2"),
        (b"\x08" + b"\xff" * 20 + b"1", b"\x08" + b"\xff" * 20 + b"2"),
        (nested(1), nested(2)),
    ],
    ids=["too long", "unknown type", "number without an end", "deep"],
)
def test_what_is_no_model_is_compared_by_bytes(compare, one, other):
    (leaf,) = compare(one, other, "x.onnx").leaves
    assert leaf.location.startswith(("byte 0x", "line 1")) and leaf.note.startswith("not examined: ValueError")
