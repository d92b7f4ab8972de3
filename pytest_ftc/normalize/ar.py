"""Ar: static libraries and Debian packages; times, owners and modes as ``ar D`` writes them.

Members keep their order: deb(5) prescribes it for Debian packages, and in a library it decides which of two
definitions the linker picks.  Headers keep their size, so the offsets in the symbol table stay valid.
See ar(1) under "D", and ar(5) for the GNU and BSD variants.
"""

from __future__ import annotations

from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.member_names import show
from pytest_ftc.normalize.rules import CHUNK, Rules

MAGIC = b"!<arch>\n"
THIN = b"!<thin>\n"
_HEADER = 60
_INDEXES = (b"/", b"/SYM64/")
"""GNU's symbol tables, with 32-bit and 64-bit offsets; ``ar D`` gives them mode 0."""


def normalize_ar(source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
    """Rewrite an ar archive."""
    target.write(source.read(len(MAGIC)))
    while header := source.read(_HEADER):
        name, size = _parse(header)
        target.write(_normal(name, size))
        _copy(source, target, size, name)
        _copy_padding(source, target, size)


def refuse_thin(source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
    """Refuse a thin archive."""
    raise NormalizationError("it is a thin ar archive: its members are in other files")


def _parse(header: bytes) -> tuple[bytes, int]:
    """Return the name field and the size of a member."""
    if len(header) < _HEADER or header[58:] != b"`\n":
        raise NormalizationError("a header of the ar archive is damaged or cut short")
    size = header[48:58].rstrip(b" ")
    if not size.isdigit():
        raise NormalizationError(f"member {show(header[:16].rstrip())} of the ar archive has the size {show(size)}")
    return header[:16].rstrip(b" "), int(size)


def _normal(name: bytes, size: int) -> bytes:
    """Return a header; GNU ar leaves all other fields blank in the header of ``//``, the table of long names."""
    mode = b"0" if name in _INDEXES else b"644"
    fields = (b"", b"", b"", b"") if name == b"//" else (b"0", b"0", b"0", mode)
    return b"%-16b%-12b%-6b%-6b%-8b%-10d`\n" % (name, *fields, size)


def _copy(source: BinaryIO, target: BinaryIO, size: int, name: bytes) -> None:
    while size:
        piece = source.read(min(size, CHUNK))
        if not piece:
            raise NormalizationError(f"member {show(name)} of the ar archive is cut short")
        target.write(piece)
        size -= len(piece)


def _copy_padding(source: BinaryIO, target: BinaryIO, size: int) -> None:
    # A member of odd size is followed by one byte, so that each header starts at an even offset (ar(5)).
    if size % 2:
        padding = source.read(1)
        if padding not in (b"\n", b"\0", b""):
            raise NormalizationError("a member of the ar archive is longer than its header says")
        target.write(b"\n")
