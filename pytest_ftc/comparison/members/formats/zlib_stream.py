"""A zlib stream (RFC 1950), perhaps behind a short header of a format that is not known: state files, inventories."""

from __future__ import annotations

import re
import zlib

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.compression import decompress, payload_members, zlib_decoder
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span

_LONGEST_HEADER = 512
_ENOUGH = 1 << 14
"""Bytes at the start of a stream that tell it from what only begins like one."""
_FEWEST = 16
"""Bytes that a stream holds which is worth a look."""
_START = re.compile(rb"[\x08\x18\x28\x38\x48\x58\x68\x78][\x00-\xff]", re.DOTALL)


def is_zlib(span: Span, name: str) -> bool:
    return _find_stream(span) is not None


def _find_stream(span: Span) -> int | None:
    head = span.read(0, _LONGEST_HEADER + _ENOUGH)
    starts = (match.start() for match in _START.finditer(head, 0, _LONGEST_HEADER))
    return next((start for start in starts if _is_stream(head[start : start + _ENOUGH], span.size - start)), None)


def _is_stream(data: bytes, size: int) -> bool:
    """Whether `data`, of the last `size` bytes of a file, is the start of a stream or all of it."""
    if int.from_bytes(data[:2], "big") % 31 or data[1] & 0x20:
        return False
    decoder = zlib.decompressobj()
    try:
        payload = decoder.decompress(data, _ENOUGH)
    except zlib.error:
        return False
    return len(payload) >= _FEWEST and (decoder.eof or len(payload) == _ENOUGH or size > len(data))


def read_zlib(span: Span, budget: Budget) -> Contents:
    """Raises what decompress() raises."""
    start = _find_stream(span)
    if start is None:
        raise ValueError("there is no zlib stream")
    done = decompress(span.part(start, span.size - start), zlib_decoder, budget, single=True)
    head = (Member(name="header", part="header before the zlib stream", stored=span.part(0, start)),) if start else ()
    rest = span.part(start, span.size - start)
    return Contents(
        format="zlib",
        noun="zlib",
        members=(*head, *payload_members(rest, done)),
        recoded="zlib stream (compression level or tool)",
    )
