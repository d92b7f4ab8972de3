"""Zlib streams (RFC 1950), possibly behind a short header in an unknown format (Sphinx inventories, state files)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.formats.compression import Decompressed, decompress, payload_members, zlib_decoder
from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span
from pytest_ftc.model.place import FileFormat

_LONGEST_HEADER = 512
_ENOUGH = 1 << 14
"""Bytes to decompress before data that starts like a zlib stream counts as one."""
_MOST_STREAMS = 32
_LONGEST_GAP = 4096
"""Bytes between two streams."""
_RECODED = "(compression level or tool)"
_FEWEST = 16
"""Smallest payload worth examining."""
# CMF: method 8 (deflate) in the low four bits, window size up to 7 in the high ones (RFC 1950 2.2).
_START = re.compile(rb"[\x08\x18\x28\x38\x48\x58\x68\x78][\x00-\xff]", re.DOTALL)


def is_zlib(span: Span, name: str) -> bool:
    return _find_stream(span) is not None


def _find_stream(span: Span, within: int = _LONGEST_HEADER) -> int | None:
    head = span.read(0, within + _ENOUGH)
    starts = (match.start() for match in _START.finditer(head, 0, within))
    return next((start for start in starts if _is_stream(head[start : start + _ENOUGH], span.size - start)), None)


def _is_stream(data: bytes, size: int) -> bool:
    """Return whether `data`, taken from the last `size` bytes of a file, is a stream or the start of one."""
    # FCHECK makes the header a multiple of 31; FDICT (0x20) needs a dictionary that is not here (RFC 1950 2.2).
    if int.from_bytes(data[:2], "big") % 31 or data[1] & 0x20:
        return False
    decoder = zlib.decompressobj()
    try:
        payload = decoder.decompress(data, _ENOUGH)
    except zlib.error:
        return False
    return len(payload) >= _FEWEST and (decoder.eof or len(payload) == _ENOUGH or size > len(data))


def read_zlib(span: Span, budget: Budget) -> Contents:
    """Raises what decompress() raises for the first stream; what follows it may be anything."""
    start = _find_stream(span)
    if start is None:
        raise ValueError("there is no zlib stream")
    first = span.part(start, span.size - start)
    done = decompress(first, zlib_decoder, budget, single=True)
    head = (Member(name="header", part="header before the zlib stream", stored=span.part(0, start)),) if start else ()
    rest = first.part(done.end, first.size - done.end)
    following = tuple(_read_following(rest, budget))
    several = any(member.content for member in following)
    own = _stream(1, first, done)
    return Contents(
        format=FileFormat.ZLIB,
        noun="zlib",
        members=(*head, own, *following) if several else (*head, *payload_members(first, done)),
        recoded=f"zlib stream {_RECODED}",
    )


def _read_following(rest: Span, budget: Budget) -> Iterator[Member]:
    """Yield further streams, and what is before and after them."""
    for number in range(2, _MOST_STREAMS + 1):
        start = _find_stream(rest, _LONGEST_GAP)
        if start is None:
            break
        here = rest.part(start, rest.size - start)
        try:
            done = decompress(here, zlib_decoder, budget, single=True)
        except (zlib.error, EOFError):
            break
        if start:
            gap = f"data before zlib stream {number}"
            yield Member(name=gap, part=gap, stored=rest.part(0, start))
        yield _stream(number, here, done)
        rest = here.part(done.end, here.size - done.end)
    if rest.size:
        yield Member(name="rest", part="data after the zlib streams", stored=rest)


def _stream(number: int, span: Span, done: Decompressed) -> Member:
    name = f"zlib stream {number}"
    stored = span.part(0, done.end)
    return Member(name=name, part=name, stored=stored, content=lambda: done.payload, recoded=f"{name} {_RECODED}")
