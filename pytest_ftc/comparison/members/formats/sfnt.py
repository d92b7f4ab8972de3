"""TrueType and OpenType fonts, table by table (https://learn.microsoft.com/en-us/typography/opentype/spec/otff)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, mtime
from pytest_ftc.comparison.members.formats.fixed.blanked import blank
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_MAGICS = (b"\0\1\0\0", b"OTTO", b"true")
_DIRECTORY, _RECORD = 12, 16
_MOST_TABLES = 256
_BEFORE_1970 = 2_082_844_800
"""Seconds from the start of 1904, from which fonts count (spec, "LONGDATETIME")."""
_TIMES = {
    "head": (("created", 20), ("modified", 28)),
    # What FontForge adds (https://fontforge.org/docs/techref/non-standard.html#fftm).
    "FFTM": (("time of FontForge", 4), ("created", 12), ("modified", 20)),
}
_CHECKSUM = 8
"""Where ``head`` has checkSumAdjustment, which is computed from the whole font."""


def is_sfnt(span: Span, name: str) -> bool:
    head = span.read(0, _DIRECTORY + _RECORD)
    if head[:4] not in _MAGICS or not 0 < int.from_bytes(head[4:6], "big") <= _MOST_TABLES:
        return False
    tag, place = head[_DIRECTORY : _DIRECTORY + 4], head[_DIRECTORY + 8 : _DIRECTORY + 16]
    # A table of a font, such as GPOS, may begin like one, with a list of scripts.
    offset, size = int.from_bytes(place[:4], "big"), int.from_bytes(place[4:], "big")
    return len(place) == 8 and all(0x20 <= byte < 0x7F for byte in tag) and offset + size <= span.size


def read_sfnt(span: Span, budget: Budget) -> Contents:
    """Return the times and the tables; their checksums and offsets follow.  Raises ValueError."""
    fields: list[Attribute] = []
    members = []
    for tag, table in budget.few(_walk(span)):
        times = _TIMES.get(tag, ())
        fields += [_read_time(f"SFNT table {tag} {name}", table.read(offset, 8)) for name, offset in times]
        holes = [(offset, 8) for _, offset in times]
        if tag == "head":
            adjustment = table.read(_CHECKSUM, 4)
            fields.append(Attribute(Field.HEADER, "SFNT table head checkSumAdjustment", adjustment, follows=True))
            holes.append((_CHECKSUM, 4))
        content = partial(blank, table, holes) if holes else None
        members.append(Member(name=tag, part=f"SFNT table {tag}", stored=table, content=content))
    return Contents(
        format=FileFormat.BINARY,
        noun="SFNT table",
        attributes=tuple(fields),
        members=tuple(members),
        recoded="SFNT table directory (order and checksums of the tables)",
    )


def _walk(span: Span) -> Iterator[tuple[str, Span]]:
    for number in range(int.from_bytes(span.read(4, 2), "big")):
        record = span.read(_DIRECTORY + number * _RECORD, _RECORD)
        offset, size = int.from_bytes(record[8:12], "big"), int.from_bytes(record[12:16], "big")
        yield record[:4].decode("latin-1").rstrip(), span.part(offset, size)


def _read_time(location: str, data: bytes) -> Attribute:
    return mtime(location, int.from_bytes(data, "big", signed=True) - _BEFORE_1970)
