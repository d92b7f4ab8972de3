"""Windows programs and libraries (https://learn.microsoft.com/en-us/windows/win32/debug/pe-format)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mtime
from pytest_ftc.comparison.members.formats.fixed.blanked import blank
from pytest_ftc.comparison.members.formats.fixed.reader import number_at
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_COFF, _SECTION = 24, 40
"""Bytes of the signature with the COFF header, and of a section's header."""
_WIDE = 0x20B
_TIME, _CHECKSUM = 8, 64
"""Where the COFF header has TimeDateStamp, and the optional header CheckSum."""
_EXPORT, _RESOURCE, _DEBUG = 0, 2, 6
"""Numbers of data directories; the first four bytes of each structure are flags, the next its time."""
_DEBUG_ENTRY = 28
_CODEVIEW = 2
_STRINGS = (".debug_str", ".debug_line_str")


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    address: int
    content: Span
    offset: int
    """Of the content in the file."""


def is_pe(span: Span, name: str) -> bool:
    head = span.read(0, 64)
    if len(head) < 64 or head[:2] != b"MZ":
        return False
    return span.read(number_at(head, 60, 4), 4) == b"PE\0\0"


def read_pe(span: Span, budget: Budget) -> Contents:
    """Return the times and identifiers that a linker writes, and the sections.  Raises ValueError."""
    start = number_at(span.read(0, 64), 60, 4)
    coff = span.read(start, _COFF)
    optional = span.read(start + _COFF, number_at(coff, 20, 2))
    sections = list(budget.few(_sections(span, start + _COFF + len(optional), coff)))
    fields: list[Attribute] = [mtime("PE header TimeDateStamp", number_at(coff, _TIME, 4))]
    holes: list[tuple[int, int]] = []
    for attribute, offset, size in _find_stamps(span, optional, sections):
        fields.append(attribute)
        holes.append((offset, size))
    checksum = optional[_CHECKSUM : _CHECKSUM + 4]
    fields.append(Attribute(Field.HEADER, "PE header CheckSum", checksum, follows=True))
    members = [_read_section(section, holes) for section in sections]
    end = max((each.offset + each.content.size for each in sections), default=0)
    if end < span.size:
        # The symbols and strings of COFF, or a signature.
        members.append(Member(name="rest", part="PE data after the sections", stored=span.part(end, span.size - end)))
    return Contents(
        format=FileFormat.BINARY,
        noun="PE section",
        attributes=tuple(fields),
        members=tuple(members),
        recoded="PE headers (sizes and addresses)",
    )


def _sections(span: Span, start: int, coff: bytes) -> Iterator[_Section]:
    strings = number_at(coff, 12, 4) + 18 * number_at(coff, 16, 4)
    for number in range(number_at(coff, 6, 2)):
        data = span.read(start + number * _SECTION, _SECTION)
        name = data[:8].rstrip(b"\0").decode("latin-1")
        if name.startswith("/") and name[1:].isdigit():
            # A longer name is in the string table, after the symbols of 18 bytes each.
            name = span.read(strings + int(name[1:]), 256).partition(b"\0")[0].decode("latin-1")
        size, offset = number_at(data, 16, 4), number_at(data, 20, 4)
        yield _Section(name, number_at(data, 12, 4), span.part(offset, size) if offset else span.part(0, 0), offset)


def _find_stamps(span: Span, optional: bytes, sections: Sequence[_Section]) -> Iterator[tuple[Attribute, int, int]]:
    """Yield the times in data directories and the identifier of the debug data, each with its offset and size."""
    first = 112 if number_at(optional, 0, 2) == _WIDE else 96
    for number, name in ((_EXPORT, "export directory"), (_RESOURCE, "resource directory"), (_DEBUG, "debug directory")):
        address, size = (number_at(optional, first + 8 * number + skip, 4) for skip in (0, 4))
        offset = _offset(sections, address) if size else None
        if offset is None:
            continue
        count = size // _DEBUG_ENTRY if number == _DEBUG else 1
        for entry in range(offset, offset + count * _DEBUG_ENTRY, _DEBUG_ENTRY):
            data = span.read(entry, _DEBUG_ENTRY)
            yield mtime(f"PE {name} TimeDateStamp", number_at(data, 4, 4)), entry + 4, 4
            if number == _DEBUG and number_at(data, 12, 4) == _CODEVIEW:
                start = number_at(data, 24, 4) + 4
                yield header("PE debug directory GUID", span.read(start, 16).hex()), start, 16


def _offset(sections: Sequence[_Section], address: int) -> int | None:
    inside = (each for each in sections if each.address <= address < each.address + each.content.size)
    return next((each.offset + address - each.address for each in inside), None)


def _read_section(section: _Section, holes: Sequence[tuple[int, int]]) -> Member:
    size = section.content.size
    own = [(offset - section.offset, length) for offset, length in holes if 0 <= offset - section.offset < size]
    text = section.name in _STRINGS
    return Member(
        name=section.name,
        part=f"PE section {section.name}",
        stored=section.content,
        content=partial(blank, section.content, own) if own else None,
        separator=b"\0" if text else b"",
        item="string",
        follows=section.name.startswith(".debug_") and not text,
    )
