"""Reading the fields of the layouts."""

from __future__ import annotations

import calendar
import uuid
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mtime
from pytest_ftc.comparison.members.formats.fixed.blanked import blank
from pytest_ftc.comparison.members.formats.fixed.layouts import LAYOUTS, FixedField, Kind, Layout
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_CHUNK = 1 << 20
_LONGEST_COVERED = 128 << 20
"""Bytes of a file whose checksums are computed anew."""


def has_layout(span: Span, name: str) -> bool:
    return find_layout(span, LAYOUTS) is not None


def read_layout(span: Span, budget: Budget) -> Contents:
    """Return the fields that are listed for the file's format, and the rest of the file."""
    layout = find_layout(span, LAYOUTS)
    assert layout is not None
    fields = tuple(read_fields(span, layout.name, layout.fields, layout.order))
    if layout.content:
        rest = Member(name="", payload=True, stored=span.part(layout.content, span.size - layout.content))
    else:
        rest = rest_of(span, [(field.offset, field.size) for field in layout.fields])
    return Contents(format=FileFormat.BINARY, noun=layout.name, attributes=fields, members=(rest,))


def rest_of(span: Span, ranges: Sequence[tuple[int, int]]) -> Member:
    """Return what is left of a file besides the `ranges`, to be compared by bytes."""
    return Member(name="", plain=True, content=partial(blank, span, ranges))


def find_layout(span: Span, layouts: Sequence[Layout]) -> Layout | None:
    """Return the first of `layouts` whose magic bytes `span` has; None if it has those of none."""
    return next((one for one in layouts if span.read(one.magic[0], len(one.magic[1])) == one.magic[1]), None)


def number_at(data: bytes, offset: int, size: int) -> int:
    """Return the little-endian number of `size` bytes at `offset`."""
    return int.from_bytes(data[offset : offset + size], "little")


def read_fields(
    span: Span, prefix: str, fields: Sequence[FixedField], order: Literal["little", "big"]
) -> Sequence[Attribute]:
    """Return the values of the `fields` that `span` is long enough for."""
    return [
        replace(_read(field, data, f"{prefix} {field.name}", order), recompute=_check(span, field, data, order))
        for field in fields
        if len(data := span.read(field.offset, field.size)) == field.size
    ]


def _check(
    span: Span, field: FixedField, data: bytes, order: Literal["little", "big"]
) -> Callable[[Budget], bool] | None:
    return partial(_is_crc, span, field, int.from_bytes(data, order)) if field.covers else None


def _is_crc(span: Span, field: FixedField, value: int, budget: Budget) -> bool:
    """Return whether `value` is the CRC-32 of what `field` covers."""
    start, end = field.covers or (0, None)
    if span.size > _LONGEST_COVERED:
        return False
    covered, crc = blank(span, [(field.offset, field.size)]).part(start, (end or span.size) - start), 0
    for position in range(0, covered.size, _CHUNK):
        budget.check_time()
        crc = zlib.crc32(covered.read(position, _CHUNK), crc)
    return crc == value


def _read(field: FixedField, data: bytes, location: str, order: Literal["little", "big"]) -> Attribute:
    if field.kind is Kind.TIME:
        return mtime(location, int.from_bytes(data, order))
    if field.kind is Kind.DIGITS:
        return _read_digits(data, location)
    if field.kind is Kind.UUID:
        return header(location, uuid.UUID(bytes=data))
    if field.kind is Kind.TEXT:
        return header(location, data.rstrip(b"\0 "))
    if field.kind is Kind.NUMBER:
        return header(location, int.from_bytes(data, order))
    return Attribute(Field.HEADER, location, data, follows=field.kind is Kind.CHECKSUM)


def _read_digits(data: bytes, location: str) -> Attribute:
    digits, zone = data[:14], int.from_bytes(data[16:], "little", signed=True)
    if not digits.isdigit() or digits.startswith(b"0000"):
        return header(location, data)
    year, rest = int(digits[:4]), digits[4:]
    parts = [int(rest[start : start + 2]) for start in range(0, 10, 2)]
    return mtime(location, calendar.timegm((year, *parts)) - zone * 900)
