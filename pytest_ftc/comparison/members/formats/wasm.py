"""WebAssembly modules, section by section (https://webassembly.github.io/spec/core/binary/modules.html)."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.data.protobuf import read_varint
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_HEADER = 8
_CUSTOM = 0
_NAMES = ("custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code",
          "data", "data count", "tag")  # fmt: skip
_STRINGS = (".debug_str", ".debug_line_str")
_OFFSETS = (".debug_", "reloc.", "linking")
"""Beginnings of the names of custom sections that hold offsets."""
_LONGEST_NUMBER = 5


def is_wasm(span: Span, name: str) -> bool:
    return span.read(0, 4) == b"\0asm"


def read_wasm(span: Span, budget: Budget) -> Contents:
    """Return the sections.  Raises ValueError, OutOfTimeError."""
    members = tuple(budget.few(_walk(span)))
    return Contents(
        format=FileFormat.BINARY, noun="wasm section", members=members, recoded="wasm sections (how sizes are encoded)"
    )


def _walk(span: Span) -> Iterator[Member]:
    position = _HEADER
    while position < span.size:
        kind = span.read(position, 1)[0]
        size, start = _number(span, position + 1)
        content = span.part(start, size)
        name = _NAMES[kind] if kind < len(_NAMES) else f"number {kind}"
        if kind == _CUSTOM:
            length, first = _number(content, 0)
            name = content.part(first, length).read(0, min(length, 1 << 10)).decode(errors="replace")
            content = content.part(first + length, size - first - length)
        text = name in _STRINGS
        yield Member(
            name=name,
            part=f"wasm section {name}",
            stored=content,
            separator=b"\0" if text else b"",
            item="string",
            follows=name.startswith(_OFFSETS) and not text,
        )
        position = start + size


def _number(span: Span, position: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number and where it ends (https://webassembly.github.io/spec/core/binary/values.html)."""
    value, used = read_varint(span.read(position, _LONGEST_NUMBER), 0)
    return value, position + used
