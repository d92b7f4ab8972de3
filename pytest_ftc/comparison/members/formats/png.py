"""PNG images, chunk by chunk (https://www.w3.org/TR/png-3/, cited by its sections)."""

from __future__ import annotations

import calendar
import struct
from collections.abc import Iterator
from functools import partial

from pytest_ftc.comparison.members.contents import Contents, Member, mtime
from pytest_ftc.comparison.members.formats.compression import decompress, zlib_decoder
from pytest_ftc.comparison.members.formats.data.pixels import read_layout, read_pixels
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.model.place import FileFormat

_MAGIC = b"\x89PNG\r\n\x1a\n"
_KEYED = ("tEXt", "zTXt", "iTXt", "iCCP")
"""Chunks that start with a keyword of up to 79 bytes and a NUL (11.3.3, 11.3.2.3)."""
_CHUNK = 1 << 17


def is_png(span: Span, name: str) -> bool:
    return span.read(0, 8) == _MAGIC


def read_png(span: Span, budget: Budget) -> Contents:
    """Return the image data and the other chunks.  Raises ValueError, zlib.error, LimitReachedError, OutOfTimeError."""
    # How the image is split into IDAT chunks has no meaning: together they are one zlib stream (10.2).
    image, members, end, layout = [], [], len(_MAGIC), None
    for kind, data in budget.few(_walk(span)):
        end = data.start - span.start + data.size + 4
        if kind == "IDAT":
            image.append(data)
        else:
            members.append(_read_chunk(kind, data))
            layout = read_layout(data) if kind == "IHDR" else layout
    stored = spool(_join(image), budget)
    members.append(
        Member(
            name="IDAT",
            part="PNG image data",
            stored=stored,
            content=partial(_inflate, stored, budget),
            elements=partial(read_pixels, layout, budget=budget) if layout else None,
            recoded="PNG IDAT stream (compression level, filters or tool)",
        )
    )
    if end < span.size:
        members.append(Member(name="rest", part="data after the image", stored=span.part(end, span.size - end)))
    return Contents(format=FileFormat.PNG, noun="PNG chunk", members=tuple(members))


def _walk(span: Span) -> Iterator[tuple[str, Span]]:
    # A chunk is its length (of the data alone), type, data and CRC (5.3).
    position, kind = len(_MAGIC), b""
    while kind != b"IEND":
        size, kind = struct.unpack(">I4s", span.read(position, 8))
        yield kind.decode("latin-1"), span.part(position + 8, size)
        position += size + 12


def _join(pieces: list[Span]) -> Iterator[bytes]:
    for piece in pieces:
        for position in range(0, piece.size, _CHUNK):
            yield piece.read(position, _CHUNK)


def _inflate(stored: Span, budget: Budget) -> Span:
    return decompress(stored, zlib_decoder, budget, single=True).payload


def _read_chunk(kind: str, data: Span) -> Member:
    if kind == "tIME" and data.size == 7:
        return Member(name=kind, part="PNG tIME", attributes=(mtime("PNG tIME", _read_time(data.read(0, 7))),))
    if kind in _KEYED:
        keyword, _, _ = data.read(0, 80).partition(b"\0")
        name = f"{kind} {keyword.decode('latin-1')}"
        skip = len(keyword) + 1 if kind == "tEXt" else 0
        return Member(name=name, part=f"PNG {name}", stored=data.part(skip, data.size - skip))
    return Member(name=kind, part=f"PNG {kind}", stored=data)


def _read_time(data: bytes) -> str:
    parts = struct.unpack(">H5B", data)
    try:
        return str(calendar.timegm(parts))
    except ValueError:
        return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*parts)
