"""ELF files, section by section (elf(5); System V gABI, chapter 4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from pytest_ftc.comparison.members.contents import Attribute, Contents, Member, header
from pytest_ftc.comparison.members.formats.compression import decompress, zlib_decoder, zstd_decoder
from pytest_ftc.comparison.members.formats.elf.build_id import NOTE, is_build_id
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, SpanFile
from pytest_ftc.model import Field
from pytest_ftc.model.place import ELF_SECTION, FileFormat

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_IDENTIFIERS = {NOTE: "ELF build id", ".note.go.buildid": "ELF Go build id"}
"""Notes whose value is a hash of the rest of the file."""
_STRINGS, _COMPRESSED = 0x20, 0x800
"""SHF_STRINGS and SHF_COMPRESSED (gABI chapter 4, "Section Attribute Flags")."""
_TEXTS = (".comment", ".interp", ".strtab", ".dynstr", ".debug_str", ".debug_line_str", ".stabstr")
_DEBUG_STRINGS = (".debug_str", ".debug_line_str")
"""Their strings are in the order of a hash table, so a path that differs moves all others."""
_PLACES = (".shstrtab",)
"""The names of the sections: they differ only if the list of sections does."""
_OFFSETS = (".debug_", ".rel.debug_", ".rela.debug_", ".eh_frame", ".symtab", ".stab", ".gnu_debuglink")
"""Prefixes of sections that hold offsets into code and strings (except those that are strings themselves)."""
_MOST_SEGMENTS = 1000
"""Most entries of the program header to look at; programs have about ten."""
_APPENDED = "appended data"
"""The name of what is behind the file that the headers tell of."""
_HEADER_FIELDS = ("e_type", "e_machine", "e_flags")


def is_elf(span: Span, name: str) -> bool:
    return span.read(0, 4) == b"\x7fELF"


def read_elf(span: Span, budget: Budget) -> Contents:
    """Return the sections; addresses and offsets follow from their contents.  Raises whatever pyelftools raises."""
    from elftools.elf.elffile import ELFFile  # slow to import, and most sessions find no difference

    file = ELFFile(cast(BinaryIO, SpanFile(span, budget)))
    fields = [header(f"ELF header {name}", file.header[name]) for name in _HEADER_FIELDS]
    fields.append(header("ELF header EI_OSABI", file.header["e_ident"]["EI_OSABI"]))
    fields.append(Attribute(Field.HEADER, "ELF header e_entry", f"{file.header['e_entry']:#x}".encode(), follows=True))
    members = []
    sections = list(budget.few(file.iter_sections())) if file.num_sections() else []
    for section in sections:
        if section.name in _IDENTIFIERS:
            fields.append(_read_identifier(span, section, _IDENTIFIERS[section.name]))
        elif section.name not in _PLACES:
            members.append(_read_section(span, file, section, budget))
    if 0 < len(sections) == file.num_sections() and (end := _find_end(file, sections)) < span.size:
        # Self-extracting files and signed kernel modules have more; it may be of any format.
        members.append(Member(name=_APPENDED, part=_APPENDED, stored=span.part(end, span.size - end)))
    return Contents(format=FileFormat.ELF, noun=ELF_SECTION, attributes=tuple(fields), members=tuple(members))


def _find_end(file: ELFFile, sections: Sequence[Any]) -> int:
    """Return the offset after all that the headers tell of."""
    fields = file.header
    ends: list[int] = [fields["e_shoff"] + len(sections) * fields["e_shentsize"]]
    ends += (one["p_offset"] + one["p_filesz"] for one in islice(file.iter_segments(), _MOST_SEGMENTS))
    ends += (one["sh_offset"] + one["sh_size"] for one in sections if _is_stored(one))
    return max(ends)


def _is_stored(section: Any) -> bool:
    """Return whether it has bytes in the file: SHT_NOBITS (.bss) has only a size."""
    return section.header["sh_type"] not in ("SHT_NOBITS", "SHT_NULL")


def _read_identifier(span: Span, section: Any, location: str) -> Attribute:
    """Return the descriptor of a note.

    Three 4-byte words precede it (name size, descriptor size, type), then the name, padded to four bytes
    (gABI chapter 5, "Note Section").
    """
    note = span.part(section.header["sh_offset"], section.header["sh_size"]).read(0, 4096)
    name_size = int.from_bytes(note[:4], "little" if section.elffile.little_endian else "big")
    value = note[12 + (name_size + 3) // 4 * 4 :]
    recompute = partial(is_build_id, value, span, section.elffile) if section.name == NOTE else None
    return Attribute(Field.HEADER, location, value.hex().encode(), follows=True, recompute=recompute)


def _read_section(span: Span, file: ELFFile, section: Any, budget: Budget) -> Member:
    name, fields = section.name, section.header
    stored = span.part(fields["sh_offset"], fields["sh_size"]) if _is_stored(section) else None
    packed = stored is not None and fields["sh_flags"] & _COMPRESSED
    text = fields["sh_flags"] & _STRINGS or name in _TEXTS
    return Member(
        name=name,
        part=f"{ELF_SECTION} {name}",
        attributes=(
            header(f"{ELF_SECTION} {name} type", fields["sh_type"]),
            header(f"{ELF_SECTION} {name} flags", f"{fields['sh_flags']:#x}"),
        ),
        stored=stored,
        content=partial(_unpack, stored, file, budget) if stored and packed else None,
        separator=b"\0" if text else b"",
        follows=name.startswith(_OFFSETS) and not text,
        item="string",
        unordered=name.startswith(_DEBUG_STRINGS),
        recoded=f"{ELF_SECTION} {name} compressed data (compression level or tool)" if packed else "",
    )


def _unpack(stored: Span, file: ELFFile, budget: Budget) -> Span:
    """Return the content of a compressed section.

    It starts with an Elf32_Chdr or Elf64_Chdr, where ch_type 1 is zlib and 2 zstd (gABI ch. 4, "Section Compression").
    """
    kind = int.from_bytes(stored.read(0, 4), "little" if file.little_endian else "big")
    size = 24 if file.elfclass == 64 else 12
    decoder = {1: zlib_decoder, 2: zstd_decoder}[kind]
    return decompress(stored.part(size, stored.size - size), decoder, budget, single=True).payload
