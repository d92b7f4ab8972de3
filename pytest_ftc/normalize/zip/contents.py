"""Reading a zip member's content.  zipfile decompresses bzip2 and LZMA data without a memory limit."""

from __future__ import annotations

import bz2
import lzma
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Decompressor, Inflater
from pytest_ftc.normalize.bounded_io import Window, read_frame
from pytest_ftc.normalize.member_names import show
from pytest_ftc.normalize.rules import CHUNK
from pytest_ftc.normalize.zip.reading import Member
from pytest_ftc.normalize.zip.writing import BZIP2, DEFLATED, STORED

_END_MARK = 0x2
"""General purpose bit 1: the LZMA stream ends with a marker (APPNOTE 4.4.4)."""
_LARGEST_DICTIONARY = 256 << 20


def read_content(member: Member, source: BinaryIO) -> Iterator[bytes]:
    """Yield the content of `member`; raises NormalizationError if its size or CRC is wrong."""
    size = crc = 0
    for piece in _decompress(member, Window(source, member.start, member.info.compress_size)):
        size += len(piece)
        if size > member.info.file_size:
            break
        crc = zlib.crc32(piece, crc)
        yield piece
    if size != member.info.file_size or crc != member.info.CRC:
        raise NormalizationError(f"member {show(member.name)} is damaged: its size or CRC is wrong")


def _decompress(member: Member, data: Window) -> Iterator[bytes]:
    if member.info.compress_type == STORED:
        while piece := data.read(CHUNK):
            yield piece
        return
    decompressor = _make_decompressor(member, data)
    yield from read_frame(decompressor, b"", data)
    if decompressor.unused_data or data.read(1):
        raise NormalizationError(f"member {show(member.name)} holds more than its content")


def _make_decompressor(member: Member, data: Window) -> Decompressor:
    if member.info.compress_type == DEFLATED:
        return Inflater(-zlib.MAX_WBITS)
    if member.info.compress_type == BZIP2:
        return bz2.BZ2Decompressor()
    if not member.info.flag_bits & _END_MARK:
        raise NormalizationError(f"member {show(member.name)} is LZMA data without an end mark")
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[_read_lzma_head(member, data)])


def _read_lzma_head(member: Member, data: Window) -> dict[str, int]:
    """Read the header of LZMA data: SDK version, size of the properties, properties (APPNOTE 5.8.8)."""
    _, size, properties, dictionary = struct.unpack("<HHBL", data.read(9))
    if size != 5 or properties >= 9 * 5 * 5 or dictionary > _LARGEST_DICTIONARY:
        raise NormalizationError(f"member {show(member.name)} has unknown LZMA properties")
    # The first property byte packs three values: (pb * 5 + lp) * 9 + lc (lzma-specification.txt in the LZMA SDK).
    return {
        "id": lzma.FILTER_LZMA1,
        "dict_size": max(dictionary, 4096),
        "lc": properties % 9,
        "lp": properties // 9 % 5,
        "pb": properties // 45,
    }
