"""gzip files (RFC 1952); of the header fields, the standard library exposes only MTIME."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pytest_ftc.comparison.members.contents import Attribute, Contents, header, mtime
from pytest_ftc.comparison.members.formats.compression import decompress, gzip_decoder, payload_members
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_FHCRC, _FEXTRA, _FNAME, _FCOMMENT = 2, 4, 8, 16
"""Bits of FLG; the optional fields follow the fixed ten bytes in the order used below (RFC 1952 2.3.1)."""
_LARGEST_HEADER = 128 << 10
_MOST_STREAMS = 100


def is_gzip(span: Span, name: str) -> bool:
    return span.read(0, 3) == b"\x1f\x8b\x08"


def read_gzip(span: Span, budget: Budget) -> Contents:
    """Return header fields and payload.  Raises zlib.error, EOFError, LimitReachedError, OutOfTimeError, ValueError."""
    done = decompress(span, gzip_decoder, budget)
    fields: list[Attribute] = []
    for number, start in enumerate(done.starts[:_MOST_STREAMS]):
        prefix = f"gzip stream {number + 1} header" if number else "gzip header"
        fields.extend(_read_header(span.read(start, _LARGEST_HEADER), prefix))
    return Contents(
        format=FileFormat.GZIP,
        noun="gzip",
        attributes=tuple(fields),
        members=tuple(payload_members(span, done)),
        recoded="deflate stream (compression level or tool)",
    )


def _read_header(data: bytes, prefix: str) -> Iterator[Attribute]:
    flags, seconds, extra_flags, system = struct.unpack_from("<BIBB", data, 3)
    yield mtime(f"{prefix} MTIME", seconds)
    yield header(f"{prefix} FLG", f"{flags:#04x}")
    yield header(f"{prefix} XFL", extra_flags)
    yield header(f"{prefix} OS", system)
    position = 10
    if flags & _FEXTRA:
        (size,) = struct.unpack_from("<H", data, position)
        yield header(f"{prefix} FEXTRA", data[position + 2 : position + 2 + size])
        position += 2 + size
    for flag, name in ((_FNAME, "FNAME"), (_FCOMMENT, "FCOMMENT")):
        if flags & flag:
            end = data.index(b"\0", position)
            yield header(f"{prefix} {name}", data[position:end])
            position = end + 1
