"""Zip archives such as NumPy's .npz, split into what surrounds the members and the members (APPNOTE.TXT 6.3.10)."""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pytest_ftc.comparison.members.limits import Budget
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.comparison.tolerance.refusal import RefusedError

_LOCAL, _CENTRAL, _END = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED_OR_STREAMED = 1 | 8
_FULL = 0xFFFFFFFF
"""Stands for a size that is in the extra field instead (APPNOTE 4.4.8)."""
_ZIP64 = struct.Struct("<HHQQ")
_CHUNK = 1 << 17
_SIZES = slice(14, 26)
"""CRC and sizes in the header of a member."""
_CENTRAL_SIZES, _OFFSET = slice(16, 28), slice(42, 46)
"""CRC and sizes, and the offset of the member, in an entry of the directory."""
_END_OFFSET = slice(16, 20)
_LONGEST_END = 22 + 0xFFFF
_Fact: TypeAlias = tuple[int, int, int, int]
"""CRC, size, compressed size and offset of a member."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One member."""

    name: str
    stored: Span
    """As it is in the archive."""
    content: Span


def is_zip(span: Span) -> bool:
    """Return whether it begins as an archive with members."""
    return span.read(0, 4) == _LOCAL


def split_zip(span: Span, budget: Budget) -> tuple[bytes, list[ZipMember]]:
    """Return all bytes outside of the members, and the members.

    What follows from the members is left out of those bytes, and verified: checksums, sizes and offsets.
    Raises RefusedError if there is more in the archive than that, struct.error, zlib.error, OutOfTimeError,
    LimitReachedError.
    """
    members, facts, position = list[ZipMember](), list[_Fact](), 0
    around = bytearray()
    for member, head, fact in _read_members(span, budget):
        members.append(member)
        facts.append((*fact, position))
        around += head
        position = member.stored.start - span.start + member.stored.size
    listed, end = _read_directory(span, position, facts)
    return bytes(around) + listed + _read_end(span, end, directory=position), members


def _read_directory(span: Span, position: int, facts: Sequence[_Fact]) -> tuple[bytes, int]:
    """Return the directory, which begins at `position` and must agree with `facts`, and where it ends."""
    listed = bytearray()
    for crc, size, packed, offset in facts:
        head = bytearray(span.read(position, 46))
        if head[:4] != _CENTRAL:
            raise RefusedError("its directory does not list its members in their order")
        if struct.unpack_from("<III", head, 16) != (crc, packed, size) or head[_OFFSET] != struct.pack("<I", offset):
            raise RefusedError("its directory contradicts its members")
        length = sum(struct.unpack_from("<HHH", head, 28))
        head[_CENTRAL_SIZES], head[_OFFSET] = bytes(12), bytes(4)
        listed += head + span.part(position + 46, length).read(0, length)
        position += 46 + length
    return bytes(listed), position


def _read_end(span: Span, position: int, *, directory: int) -> bytes:
    """Return the end of the archive, which begins at `position`, without the offset of the `directory`."""
    end = bytearray(span.read(position, _LONGEST_END))
    whole = len(end) >= 22 and len(end) == span.size - position == 22 + int(struct.unpack_from("<H", end, 20)[0])
    if end[:4] != _END or not whole or end[_END_OFFSET] != struct.pack("<I", directory):
        raise RefusedError("it has more than members and a directory")
    end[_END_OFFSET] = bytes(4)
    return bytes(end)


def _read_members(span: Span, budget: Budget) -> Iterator[tuple[ZipMember, bytes, tuple[int, int, int]]]:
    """Yield the members, each with its header and its CRC, size and compressed size."""
    position = 0
    for _ in budget.few(itertools.count()):
        head = bytearray(span.read(position, 30))
        if head[:4] != _LOCAL:
            return
        flags, method = struct.unpack_from("<HH", head, 6)
        if flags & _ENCRYPTED_OR_STREAMED or method not in (_STORED, _DEFLATED):
            raise RefusedError("a member is encrypted, streamed or compressed by a method that is not read")
        crc, packed, size, name_length, extra_length = struct.unpack_from("<IIIHH", head, 14)
        position += 30 + name_length + extra_length
        named = span.part(position - name_length - extra_length, name_length + extra_length)
        name, extra = named.read(0, name_length), named.read(name_length, extra_length)
        if packed == size == _FULL:
            kind, length, size, packed = _ZIP64.unpack(extra)
            extra = struct.pack("<HH", kind, length)
        head[_SIZES] = bytes(12)
        member = _open(name.decode(), span.part(position, packed), method == _DEFLATED, budget)
        if member.content.size != size or _compute_crc(member.content, budget) != crc:
            raise RefusedError("the checksum or the size of a member is wrong")
        yield member, bytes(head) + name + extra, (crc, size, packed)
        position += packed


def _open(name: str, stored: Span, is_deflated: bool, budget: Budget) -> ZipMember:
    return ZipMember(name, stored, spool(_inflate(stored, budget), budget) if is_deflated else stored)


def _inflate(stored: Span, budget: Budget) -> Iterator[bytes]:
    stream = zlib.decompressobj(-15)
    for position in range(0, stored.size, _CHUNK):
        data = stored.read(position, _CHUNK)
        while data:
            budget.check_time()
            yield stream.decompress(data, _CHUNK)
            data = stream.unconsumed_tail
    while more := stream.decompress(stream.unconsumed_tail, _CHUNK):
        yield more
    if not stream.eof or stream.unused_data:
        raise RefusedError("a member does not end where its data end")


def _compute_crc(content: Span, budget: Budget) -> int:
    crc = 0
    for position in range(0, content.size, _CHUNK):
        budget.check_time()
        crc = zlib.crc32(content.read(position, _CHUNK), crc)
    return crc
