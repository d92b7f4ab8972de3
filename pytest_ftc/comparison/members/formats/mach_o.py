"""Programs, libraries and objects of macOS, section by section (Apple's mach-o/loader.h, nlist.h, stab.h and fat.h)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from pytest_ftc.comparison.likeness import mask
from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header, mtime
from pytest_ftc.comparison.members.formats.fixed.blanked import blank
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model import Field
from pytest_ftc.model.place import FileFormat

_MAGIC: Mapping[bytes, tuple[Literal["little", "big"], bool]] = {
    b"\xce\xfa\xed\xfe": ("little", False),
    b"\xcf\xfa\xed\xfe": ("little", True),
    b"\xfe\xed\xfa\xce": ("big", False),
    b"\xfe\xed\xfa\xcf": ("big", True),
}
"""Byte order, and whether addresses have 64 bits."""
_FAT = {b"\xca\xfe\xba\xbe": 20, b"\xca\xfe\xba\xbf": 32}
"""Bytes that describe an architecture in a universal file."""
_MOST_ARCHITECTURES = 44
"""From 45 on, the number is the version of a Java class file, which has the same magic number."""
_MACHINES = {7: "i386", 0x1000007: "x86_64", 12: "arm", 0x100000C: "arm64", 0x200000C: "arm64_32", 18: "ppc"}
_ARM64E = 2
_MOST_COMMANDS = 8 << 20
_SEGMENT, _SYMBOLS, _UUID, _SEGMENT_64 = 0x1, 0x2, 0x1B, 0x19
_LIBRARIES = {0xC: "LC_LOAD_DYLIB", 0xD: "LC_ID_DYLIB", 0x18: "LC_LOAD_WEAK_DYLIB", 0x1F: "LC_REEXPORT_DYLIB"}
_REQUIRED = 0x80000000
"""A flag of commands that the linker must understand."""
_PATHS = {0xE: "LC_LOAD_DYLINKER", 0x1C: "LC_RPATH"}
_TABLES = {
    0x1D: "code signature",
    0x1E: "split info",
    0x26: "function starts",
    0x29: "data in code",
    0x2B: "code signing requirements",
    0x2E: "optimization hints",
    0x33: "exports",
    0x34: "chained fixups",
}
"""What is at an offset and of a size that their commands tell; it follows from the sections."""
_ZEROS = (0x1, 0xC, 0x12)
"""Types of sections that have no bytes in the file."""
_STRINGS = ("__cstring", "__debug_str", "__debug_line_str")
_OBJECT = 0x66
"""The type of a symbol that is the path of an object, with its time as value (stab.h, N_OSO)."""


@dataclass(slots=True)
class _File:
    span: Span
    budget: Budget
    order: Literal["little", "big"]
    wide: bool
    attributes: list[Attribute] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    def at(self, data: bytes, offset: int, size: int = 4) -> int:
        return int.from_bytes(data[offset : offset + size], self.order)


def is_mach_o(span: Span, name: str) -> bool:
    head = span.read(0, 8)
    return head[:4] in _MAGIC or (head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") <= _MOST_ARCHITECTURES)


def read_mach_o(span: Span, budget: Budget) -> Contents:
    """Return sections, tables and what load commands say; of a universal file its architectures.

    Raises ValueError, LimitReachedError, OutOfTimeError.
    """
    magic = span.read(0, 4)
    if magic in _FAT:
        return Contents(
            format=FileFormat.BINARY,
            noun="Mach-O architecture",
            members=tuple(budget.few(_read_architectures(span, _FAT[magic]))),
            recoded="Mach-O header of a universal file (offsets and alignment)",
        )
    file = _File(span, budget, *_MAGIC[magic])
    for kind, command in _commands(file):
        _read_command(file, kind, command)
    return Contents(
        format=FileFormat.BINARY,
        noun="Mach-O section",
        attributes=tuple(file.attributes),
        members=tuple(file.members),
        recoded="Mach-O headers or relocations (sizes and addresses)",
    )


def _read_architectures(span: Span, size: int) -> Iterator[Member]:
    wide = 8 if size == 32 else 4
    for number in range(int.from_bytes(span.read(4, 4), "big")):
        entry = span.read(8 + number * size, size)
        machine, kind = (int.from_bytes(entry[offset : offset + 4], "big") for offset in (0, 4))
        name = _MACHINES.get(machine, f"machine {machine:#x}")
        name = "arm64e" if name == "arm64" and kind & 0xFF == _ARM64E else name
        start, length = (int.from_bytes(entry[offset : offset + wide], "big") for offset in (8, 8 + wide))
        yield Member(name=name, part=f"architecture {name}", stored=span.part(start, length))


def _commands(file: _File) -> Iterator[tuple[int, bytes]]:
    start = 32 if file.wide else 28
    head = file.span.read(0, start)
    size = file.at(head, 20)
    if size > _MOST_COMMANDS:
        raise LimitReachedError(f"load commands of more than {_MOST_COMMANDS} bytes")
    data, position = file.span.read(start, size), 0
    for _ in file.budget.few(range(file.at(head, 16))):
        length = file.at(data, position + 4)
        if length < 8:
            raise ValueError("a load command that is too short")
        yield file.at(data, position) & ~_REQUIRED, data[position : position + length]
        position += length


def _read_command(file: _File, kind: int, command: bytes) -> None:
    if kind in (_SEGMENT, _SEGMENT_64):
        file.members += file.budget.few(_read_sections(file, command, wide=kind == _SEGMENT_64))
    elif kind == _SYMBOLS:
        _read_symbols(file, command)
    elif kind == _UUID:
        # Linkers compute it from the rest.
        file.attributes.append(Attribute(Field.HEADER, "Mach-O LC_UUID", command[8:24].hex().encode(), follows=True))
    elif kind in _LIBRARIES:
        name = _LIBRARIES[kind]
        file.attributes += [
            header(f"Mach-O {name}", _text(file, command)),
            mtime(f"Mach-O {name} timestamp", file.at(command, 12)),
            header(f"Mach-O {name} versions", command[16:24].hex()),
        ]
    elif kind in _PATHS:
        file.attributes.append(header(f"Mach-O {_PATHS[kind]}", _text(file, command)))
    elif kind in _TABLES:
        _add_table(file, _TABLES[kind], file.at(command, 8), file.at(command, 12))


def _text(file: _File, command: bytes) -> bytes:
    return command[file.at(command, 8) :].partition(b"\0")[0]


def _add_table(file: _File, name: str, start: int, size: int) -> None:
    if size:
        part = f"Mach-O {name}"
        file.members.append(Member(name=name, part=part, stored=file.span.part(start, size), follows=True))


def _read_sections(file: _File, command: bytes, *, wide: bool) -> Iterator[Member]:
    start, size = (72, 80) if wide else (56, 68)
    for number in range(file.at(command, start - 8)):
        data = command[start + number * size : start + (number + 1) * size]
        if len(data) < size:
            raise ValueError("a segment that ends too early")
        section, segment = (part.rstrip(b"\0").decode("latin-1") for part in (data[:16], data[16:32]))
        length = file.at(data, 40, 8) if wide else file.at(data, 36)
        offset, flags = (48, 64) if wide else (40, 56)
        if file.at(data, flags) & 0xFF in _ZEROS or not length:
            continue
        text = section in _STRINGS
        yield Member(
            name=f"{segment},{section}",
            part=f"Mach-O section {segment},{section}",
            stored=file.span.part(file.at(data, offset), length),
            separator=b"\0" if text else b"",
            item="string",
            follows=section.startswith("__debug_") and not text,
        )


def _read_symbols(file: _File, command: bytes) -> None:
    start, count, texts, size = (file.at(command, offset) for offset in (8, 12, 16, 20))
    entry = 16 if file.wide else 12
    symbols, strings = file.span.part(start, count * entry), file.span.part(texts, size)
    holes = []
    for number, path, seconds in file.budget.few(_objects(file, symbols, strings, entry)):
        file.attributes.append(mtime(f"Mach-O time of the object {path}", seconds))
        holes.append((number * entry + 8, entry - 8))
    table = partial(blank, symbols, holes) if holes else None
    file.members.append(Member(name="symbols", part="Mach-O symbol table", stored=symbols, content=table, follows=True))
    file.members.append(
        Member(name="strings", part="Mach-O string table", stored=strings, separator=b"\0", item="string")
    )


def _objects(file: _File, symbols: Span, strings: Span, entry: int) -> Iterator[tuple[int, str, int]]:
    """Yield number, file name and time of each object from which a linker took debugging data."""
    step = entry * (1 << 13)
    for position in range(0, symbols.size, step):
        file.budget.check_time()
        data = symbols.read(position, step)
        for offset in range(0, len(data) - entry + 1, entry):
            if data[offset + 4] == _OBJECT:
                path = strings.read(file.at(data, offset), 4096).partition(b"\0")[0].decode(errors="replace")
                # The folder and random words may differ between builds, and are in the string table.
                yield (position + offset) // entry, mask(path.rpartition("/")[2]), file.at(data, offset + 8, entry - 8)
