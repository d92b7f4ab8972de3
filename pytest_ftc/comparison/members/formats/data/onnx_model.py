"""ONNX models by the names of their fields (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from pytest_ftc.comparison.members.contents import Contents
from pytest_ftc.comparison.members.formats.data.element_types import make_array
from pytest_ftc.comparison.members.formats.data.protobuf import read_fields
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_DEEPEST = 40
_MOST_FIELDS = 250_000
_LONGEST_TEXT = 64 << 10
_TEXT, _NUMBER, _FLOAT, _BYTES = "text", "number", "float", "bytes"
_VERSION = b"\x08"
"""The first field of a model, its `ir_version`, as all writers order fields by their numbers."""
_Fields = Mapping[int, tuple[str, str]]


def _fields(**named: str) -> _Fields:
    """Return names and types of fields by their numbers; an argument is ``name="number type"``."""
    split = {name: described.split() for name, described in named.items()}
    return {int(number): (name, kind) for name, (number, kind) in split.items()}


_TENSOR = _fields(
    dims="1 number*", data_type="2 number", float_data="4 bytes", int32_data="5 number*", string_data="6 text*",
    int64_data="7 number*", name="8 text", raw_data="9 bytes", double_data="10 bytes", uint64_data="11 number*",
    doc_string="12 text", external_data="13 entry*", data_location="14 number", metadata_props="16 entry*",
)  # fmt: skip
_MESSAGES: Mapping[str, _Fields] = {
    "model": _fields(
        ir_version="1 number", producer_name="2 text", producer_version="3 text", domain="4 text",
        model_version="5 number", doc_string="6 text", graph="7 graph", opset_import="8 opset*",
        metadata_props="14 entry*", training_info="20 training*", functions="25 function*",
    ),
    "graph": _fields(
        node="1 node*", name="2 text", initializer="5 tensor*", doc_string="10 text", input="11 value*",
        output="12 value*", value_info="13 value*", quantization_annotation="14 annotation*",
        sparse_initializer="15 sparse*", metadata_props="16 entry*",
    ),
    "node": _fields(
        input="1 text*", output="2 text*", name="3 text", op_type="4 text", attribute="5 attribute*",
        doc_string="6 text", domain="7 text", overload="8 text", metadata_props="9 entry*",
    ),
    "attribute": _fields(
        name="1 text", f="2 float", i="3 number", s="4 text", t="5 tensor", g="6 graph", floats="7 float*",
        ints="8 number*", strings="9 text*", tensors="10 tensor*", graphs="11 graph*", doc_string="13 text",
        type="20 number", ref_attr_name="21 text", sparse_tensor="22 sparse", sparse_tensors="23 sparse*",
    ),
    "function": _fields(
        name="1 text", input="4 text*", output="5 text*", attribute="6 text*", node="7 node*", doc_string="8 text",
        opset_import="9 opset*", domain="10 text", attribute_proto="11 attribute*", value_info="12 value*",
        overload="13 text", metadata_props="14 entry*",
    ),
    "tensor": _TENSOR,
    "sparse": _fields(values="1 tensor", indices="2 tensor", dims="3 number*"),
    "value": _fields(name="1 text", type="2 bytes", doc_string="3 text", metadata_props="4 entry*"),
    "annotation": _fields(tensor_name="1 text", quant_parameter_tensor_names="2 entry*"),
    "training": _fields(
        initialization="1 graph", algorithm="2 graph", initialization_binding="3 entry*", update_binding="4 entry*"
    ),
    "opset": _fields(domain="1 text", version="2 number"),
    "entry": _fields(key="1 text", value="2 text"),
}  # fmt: skip
"""The messages of the format; an asterisk marks fields that repeat."""
_NAMES = ("name", "key", "tensor_name", "domain")
"""Fields that name a message among others of its kind."""
_TYPES = {1: ("f", 4), 2: ("u", 1), 3: ("i", 1), 4: ("u", 2), 5: ("i", 2), 6: ("i", 4), 7: ("i", 8), 9: ("b", 1),
          10: ("f", 2), 11: ("f", 8), 12: ("u", 4), 13: ("u", 8), 14: ("c", 8), 15: ("c", 16)}  # fmt: skip
"""Kind and bytes of an element, by TensorProto.DataType."""


def is_onnx(span: Span, name: str) -> bool:
    """Return whether it is named as a model; the format has no magic number."""
    return name.endswith(".onnx") and span.read(0, 1) == _VERSION


def read_onnx(span: Span, budget: Budget) -> Contents:
    """Return the fields of a model.  Raises ValueError, struct.error, LimitReachedError, OutOfTimeError."""
    return Contents(
        format=FileFormat.DATA,
        noun="ONNX",
        values=_Reader(budget).message(span, "model", 0),
        recoded="ONNX fields (their order or encoding)",
    )


class _Reader:
    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._count = 0

    def message(self, span: Span, kind: str, depth: int) -> dict[str, Any]:
        """Return the fields of one message by their names; those of unknown number as they are."""
        if depth > _DEEPEST:
            raise ValueError("messages nested too deeply")
        known, found = _MESSAGES[kind], dict[str, Any]()
        for number, value in read_fields(span):
            self._count += 1
            self._budget.check_time()
            if self._count > _MOST_FIELDS:
                raise LimitReachedError(f"more than {_MOST_FIELDS} fields")
            name, type_ = known.get(number, (f"field {number}", _BYTES))
            read = self._value(value, type_.rstrip("*"), depth)
            if type_.endswith("*"):
                found.setdefault(name, []).append(read)
            else:
                found[name] = read
        found = {name: _by_name(value) if isinstance(value, list) else value for name, value in found.items()}
        return _with_arrays(found) if kind == "tensor" else found

    def _value(self, value: int | Span, kind: str, depth: int) -> Any:
        if isinstance(value, int):
            return value
        if kind in _MESSAGES:
            return self.message(value, kind, depth + 1)
        if kind == _FLOAT and value.size == 4:
            return struct.unpack("<f", value.read(0, 4))[0]
        if kind == _TEXT and value.size <= _LONGEST_TEXT:
            return value.read(0, value.size).decode(errors="surrogateescape")
        return value


def _by_name(values: list[Any]) -> Any:
    """Return messages by their names, if each has its own; entries of a table by their keys."""
    names = [next((value[key] for key in _NAMES if value.get(key)), "") for value in values if isinstance(value, dict)]
    known = [name for name in names if isinstance(name, str) and name]
    if len(known) != len(values) or len(set(known)) != len(values):
        return values
    entries = all(set(value) <= {"key", "value"} for value in values)
    return {name: value.get("value", "") if entries else value for name, value in zip(known, values, strict=True)}


def _with_arrays(tensor: dict[str, Any]) -> dict[str, Any]:
    dims = tensor.get("dims", [])
    shape = tuple(dims) if isinstance(dims, list) and all(isinstance(each, int) and each >= 0 for each in dims) else ()
    kinds = {"float_data": ("f", 4), "double_data": ("f", 8), "raw_data": _TYPES.get(tensor.get("data_type", 0))}
    return {
        name: make_array(value, *kind, shape=shape) if isinstance(value, Span) and (kind := kinds.get(name)) else value
        for name, value in tensor.items()
    }
