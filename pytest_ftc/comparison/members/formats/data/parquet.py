"""Parquet tables: the footer by the names of its fields, and the columns (https://parquet.apache.org/docs/file-format/).

The names are those of parquet.thrift in https://github.com/apache/parquet-format.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.data.columns.numbers import Chunk, read_numbers
from pytest_ftc.comparison.members.formats.data.columns.pages import CODECS, read_pages
from pytest_ftc.comparison.members.formats.data.columns.shapes import Shape, read_shapes
from pytest_ftc.comparison.members.formats.data.thrift import ThriftReader
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.comparison.members.values import Elements
from pytest_ftc.model.place import FileFormat

_MAGIC = b"PAR1"
_LARGEST = 16 << 20
_META, _CODEC, _PATH, _COMPRESSED = 3, 4, 3, 7
_DATA_OFFSET, _DICTIONARY_OFFSET = 9, 11
_ROWS = 3

_FILE: Mapping[int, Any] = {
    1: "version",
    2: ("schema", {1: "type", 2: "type_length", 3: "repetition_type", 4: "name", 5: "num_children",
                   6: "converted_type", 7: "scale", 8: "precision", 9: "field_id", 10: "logicalType"}),
    3: "num_rows",
    4: ("row_groups", {
        1: ("columns", {
            1: "file_path",
            3: ("meta_data", {1: "type", 2: "encodings", 3: "path_in_schema", 4: "codec", 5: "num_values",
                              8: ("key_value_metadata", {1: "key", 2: "value"})}),
        }),
        3: "num_rows", 4: "sorting_columns", 7: "ordinal",
    }),
    5: ("key_value_metadata", {1: "key", 2: "value"}),
    6: "created_by",
}  # fmt: skip
"""Fields by number, and what is in them.  Offsets, sizes and statistics are left out: they follow from the columns."""


def is_parquet(span: Span, name: str) -> bool:
    return span.read(0, 4) == _MAGIC and span.read(span.size - 4, 4) == _MAGIC


def read_footer(span: Span) -> tuple[dict[int, Any], ThriftReader]:
    """Return the footer by the numbers of its fields, and what read it.

    Raises ValueError, IndexError, LimitReachedError.
    """
    length = int.from_bytes(span.read(span.size - 8, 4), "little")
    if length > _LARGEST:
        raise LimitReachedError(f"a footer larger than {_LARGEST} bytes")
    reader = ThriftReader(span.part(span.size - 8 - length, length).read(0, length))
    return reader.read_struct(), reader


def read_parquet(span: Span, budget: Budget) -> Contents:
    """Return the footer and the columns.  Raises ValueError, IndexError, LimitReachedError, OutOfTimeError."""
    footer, _ = read_footer(span)
    return Contents(
        format=FileFormat.DATA,
        noun="parquet column",
        values=_name(footer, _FILE, budget),
        members=tuple(budget.few(_columns(span, footer, budget))),
        recoded="parquet offsets, sizes and statistics",
    )


def _name(value: Any, names: Mapping[int, Any], budget: Budget) -> Any:
    """Return a structure with the names of its fields."""
    budget.check_time()
    made: dict[str, Any] = {}
    for number, inner in value.items():
        known = names.get(number)
        if isinstance(known, str):
            made[known] = _text(inner)
        elif known:
            name, fields = known
            lists = inner if isinstance(inner, list) else [inner]
            parts = [_name(each, fields, budget) for each in lists if isinstance(each, dict)]
            made[name] = _by_name(parts) if isinstance(inner, list) else parts[0] if parts else None
    return made


def _text(value: Any) -> Any:
    if isinstance(value, bytes):
        # A minimum or maximum is bytes.
        try:
            return value.decode() if value.isascii() and value.decode().isprintable() else value
        except UnicodeDecodeError:
            return value
    if isinstance(value, list):
        return [_text(each) for each in value]
    return {str(number): _text(each) for number, each in value.items()} if isinstance(value, dict) else value


def _by_name(parts: list[dict[str, Any]]) -> Any:
    """Return structures by their names, if each has its own; entries of a table by their keys."""
    names = [_own_name(part) for part in parts]
    if not all(names) or len(set(names)) != len(names):
        return parts
    values = [_entry(name, part["value"]) if "value" in part else part for name, part in zip(names, parts, strict=True)]
    return dict(zip(names, values, strict=True))


def _entry(key: str, value: Any) -> Any:
    """Return the value of an entry of metadata; the schema of Arrow is in base64 (Arrow's parquet/arrow/schema.cc)."""
    return base64.b64decode(value) if key == "ARROW:schema" and isinstance(value, str) else value


def _own_name(part: dict[str, Any]) -> str:
    path = part.get("meta_data", {}) or {}
    path = path.get("path_in_schema")
    if isinstance(path, list):
        return ".".join(map(str, path))
    name = part.get("key", part.get("name"))
    return name if isinstance(name, str) else ""


def _columns(span: Span, footer: dict[int, Any], budget: Budget) -> Iterator[Member]:
    shapes = read_shapes(footer)
    first_row = 0
    for number, group in enumerate(footer.get(4, [])):
        for column in group.get(1, []):
            meta = column.get(_META, {})
            names = tuple(meta[_PATH])
            path = ".".join(each.decode(errors="replace") for each in names)
            start = min(meta[offset] for offset in (_DATA_OFFSET, _DICTIONARY_OFFSET) if meta.get(offset))
            stored = span.part(start, meta[_COMPRESSED])
            name = f"column {path}, row group {number}" if number else f"column {path}"
            shape = shapes.get(names)
            chunk = Chunk(stored=stored, codec=meta[_CODEC], first_row=first_row)
            yield Member(
                name=name,
                part=f"parquet {name}",
                stored=stored,
                content=partial(_join_pages, stored, meta[_CODEC], budget),
                elements=partial(_read_numbers, chunk, shape, budget) if shape and shape.kind else None,
                recoded=f"parquet {name} (encoding, compression or sizes of pages)",
            )
        first_row += group.get(_ROWS, 0)


def _join_pages(stored: Span, codec: int, budget: Budget) -> Span:
    """Return the decompressed pages; the bytes as they are stored where they cannot be decompressed."""
    if codec not in CODECS:
        return stored
    return spool((page.data for page in read_pages(stored, codec, budget)), budget)


def _read_numbers(chunk: Chunk, shape: Shape, budget: Budget, content: Span) -> Elements:
    # The pages are read again, since where the levels end is in their headers.
    return read_numbers(chunk, shape, budget)
