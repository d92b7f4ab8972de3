"""Tensors in a safetensors file, by their names (https://github.com/huggingface/safetensors, "Format")."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_ftc.comparison.members.contents import Contents
from pytest_ftc.comparison.members.formats.data.element_types import make_array
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_LONGEST = 100 << 20
"""Longest header, as in the library itself."""
_METADATA = "__metadata__"
_TYPES = {"F64": ("f", 8), "F32": ("f", 4), "F16": ("f", 2), "BF16": ("", 2), "I64": ("i", 8), "I32": ("i", 4),
          "I16": ("i", 2), "I8": ("i", 1), "U64": ("u", 8), "U32": ("u", 4), "U16": ("u", 2), "U8": ("u", 1),
          "BOOL": ("b", 1)}  # fmt: skip
"""Kind and bytes of an element, by the names of types."""
_HALF = "BF16"


def is_safetensors(span: Span, name: str) -> bool:
    """Return whether it is named so and has a header: the format has no magic number."""
    return name.endswith(".safetensors") and span.read(8, 1) == b"{"


def read_safetensors(span: Span, budget: Budget) -> Contents:
    """Return the tensors, with their types, shapes and places in the file.  Raises ValueError, RecursionError."""
    size = int.from_bytes(span.read(0, 8), "little")
    if size > _LONGEST:
        raise ValueError("its header is too long")
    described = json.loads(span.part(8, size).read(0, size))
    data = span.part(8 + size, span.size - 8 - size)
    values = {
        name: tensor if name == _METADATA else _read_tensor(data, tensor)
        for name, tensor in budget.few(described.items())
    }
    return Contents(format=FileFormat.DATA, noun="safetensors", values=values, recoded="safetensors header")


def _read_tensor(data: Span, tensor: dict[str, Any]) -> Any:
    (start, end), kind, shape = tensor["data_offsets"], tensor["dtype"], tuple(tensor["shape"])
    content = data.part(start, end - start)
    if kind not in _TYPES:
        # Of types that are packed, such as F4, only the bytes are known.
        return {"dtype": kind, "shape": list(shape), "data": content}
    elements = make_array(content, *_TYPES[kind], shape=shape)
    return replace(elements, kind="bfloat16", show=_show_half, decode=_decode_half) if kind == _HALF else elements


def _decode_half(data: bytes) -> Sequence[float]:
    """Return numbers of type bfloat16: the upper halves of single floats."""
    whole = b"".join(b"\0\0" + data[start : start + 2] for start in range(0, len(data) - 1, 2))
    return struct.unpack(f"<{len(whole) // 4}f", whole)


def _show_half(data: bytes) -> str:
    return f"{_decode_half(data)[0]:.4g}" if len(data) == 2 else data.hex()
