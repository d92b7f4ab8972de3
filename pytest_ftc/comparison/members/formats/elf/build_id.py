"""The build id that GNU ld computes from what it writes (ld(1), --build-id; bfd/elfcode.h, elf_checksum_contents)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

NOTE = ".note.gnu.build-id"
_ALGORITHMS = {16: "md5", 20: "sha1"}
"""By the size of the build id in bytes."""
_WITHOUT_CONTENT = (".symtab", ".strtab", ".shstrtab")
"""Sections of which only the headers are part of it."""
_OFFSETS = {64: ((32, 16), (24, 8)), 32: ((28, 8), (16, 4))}
"""By the class: where offsets are, and their sizes, in the header of the file and in those of sections (elf(5))."""
_CHUNK = 1 << 20
_LARGEST = 256 << 20
"""Bytes of a file whose build id is computed anew."""


def is_build_id(value: bytes, span: Span, file: ELFFile, budget: Budget) -> bool:
    """Return whether `value` is what GNU ld computes from the file, which nothing has changed since.

    That of a file which was stripped is not.  Raises OutOfTimeError.
    """
    if len(value) not in _ALGORITHMS or span.size > _LARGEST:
        return False
    digest = hashlib.new(_ALGORITHMS[len(value)], usedforsecurity=False)
    size = 0
    for part in _parts(span, file):
        budget.check_time()
        digest.update(part)
        size += len(part)
        # Sections of a file that is no linker's may overlap.
        if size > 2 * span.size:
            return False
    return digest.digest() == value


def _parts(span: Span, file: ELFFile) -> Iterator[bytes]:
    """Yield what the digest is of: the headers without offsets, and what the sections hold, the note being zeros."""
    fields, (in_header, in_sections) = file.header, _OFFSETS[file.elfclass]
    yield _without(span.read(0, fields["e_ehsize"]), *in_header)
    yield span.read(fields["e_phoff"], min(_CHUNK, fields["e_phnum"] * fields["e_phentsize"]))
    for number, section in enumerate(file.iter_sections()):
        yield _without(
            span.read(fields["e_shoff"] + number * fields["e_shentsize"], fields["e_shentsize"]), *in_sections
        )
        yield from _contents(span, section)


def _without(data: bytes, start: int, size: int) -> bytes:
    return data[:start] + bytes(size) + data[start + size :]


def _contents(span: Span, section: Any) -> Iterator[bytes]:
    start, size = section.header["sh_offset"], section.header["sh_size"]
    if section.header["sh_type"] in ("SHT_NOBITS", "SHT_NULL") or section.name in _WITHOUT_CONTENT:
        return
    for position in range(0, size, _CHUNK):
        chunk = span.read(start + position, min(_CHUNK, size - position))
        yield bytes(len(chunk)) if section.name == NOTE else chunk
