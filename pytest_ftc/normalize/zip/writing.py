"""Writing a zip archive byte by byte: zipfile chooses flags and the encoding of names with no way to override it."""

from __future__ import annotations

import bz2
import lzma
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pytest_ftc.normalize.compressed import Compressor

STORED, DEFLATED, BZIP2, LZMA = 0, 8, 12, 14

_EARLIEST = 315532800
"""1 January 1980, the earliest date in the MS-DOS format."""
_UNIX = 3
_LARGEST = 0xFFFFFFFE
"""The largest size or offset in a 32-bit field."""
_MARK = 0xFFFFFFFF
"""In a 32-bit field: the value is in the zip64 extra field instead (APPNOTE 4.4.1.4 and 4.5.3)."""
_LZMA_END_MARK = 0x2
_NEEDED = {STORED: 20, DEFLATED: 20, BZIP2: 46, LZMA: 63}
"""The version needed to extract, times ten (APPNOTE 4.4.3)."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One member to write; `offset` and `compressed` are known once its data has been written."""

    name: bytes
    flags: int
    method: int
    size: int
    """Uncompressed size in bytes."""
    external: int
    internal: int
    comment: bytes
    local_extra: bytes
    central_extra: bytes
    crc: int
    offset: int = 0
    compressed: int = 0


def dos_time(epoch: int) -> int:
    """Return `epoch` in UTC as a 32-bit MS-DOS date and time: from 1980, in steps of two seconds (APPNOTE 4.4.6)."""
    moment = time.gmtime(max(epoch, _EARLIEST))
    date = (moment.tm_year - 1980) << 9 | moment.tm_mon << 5 | moment.tm_mday
    return date << 16 | moment.tm_hour << 11 | moment.tm_min << 5 | min(moment.tm_sec, 59) // 2


class ZipWriter:
    """Writes members, then the central directory, to a seekable file."""

    def __init__(self, target: BinaryIO, epoch: int) -> None:
        self._target = target
        self._time = dos_time(epoch)
        self._entries: list[Entry] = []

    def add(self, entry: Entry, pieces: Iterator[bytes]) -> None:
        """Write the member `entry` with the content `pieces`; `entry` must have their size and CRC."""
        entry.offset = self._target.tell()
        # The compressed size is not known yet, so a member that might need zip64 gets it.
        large = entry.size + entry.size // 16 + 1024 > _LARGEST
        self._target.write(self._local_header(entry, large))
        begin = self._target.tell()
        compressor = make_compressor(entry.method)
        for piece in pieces:
            self._target.write(compressor.compress(piece))
        self._target.write(compressor.flush())
        end = self._target.tell()
        entry.compressed = end - begin
        self._target.seek(entry.offset)
        self._target.write(self._local_header(entry, large))
        self._target.seek(end)
        self._entries.append(entry)

    def finish(self, comment: bytes) -> None:
        """Write the central directory and the archive's `comment`."""
        begin = self._target.tell()
        for entry in self._entries:
            self._target.write(self._central_header(entry))
        self._target.write(_end(len(self._entries), begin, self._target.tell(), comment))

    def _local_header(self, entry: Entry, large: bool) -> bytes:
        extra = entry.local_extra
        sizes = (entry.compressed, entry.size)
        if large:
            # In a local header both sizes must be present (APPNOTE 4.5.3).
            extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.compressed) + extra
            sizes = (_MARK, _MARK)
        fixed = struct.pack(
            "<4s3H4L2H",
            b"PK\3\4",
            _needed(entry.method, large),
            _flags(entry),
            entry.method,
            self._time,
            entry.crc,
            *sizes,
            len(entry.name),
            len(extra),
        )
        return fixed + entry.name + extra

    def _central_header(self, entry: Entry) -> bytes:
        values = (entry.size, entry.compressed, entry.offset)
        # The directory holds only values that do not fit, in this order (APPNOTE 4.5.3).
        large = [value for value in values if value > _LARGEST]
        zip64 = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
        extra = zip64 + entry.central_extra
        size, compressed, offset = (_short(value) for value in values)
        needed = _needed(entry.method, bool(large))
        fixed = struct.pack(
            "<4s4B2H4L5H2L",
            b"PK\1\2",
            needed,
            _UNIX,
            needed,
            0,
            _flags(entry),
            entry.method,
            self._time,
            entry.crc,
            compressed,
            size,
            len(entry.name),
            len(extra),
            len(entry.comment),
            0,
            entry.internal,
            entry.external,
            offset,
        )
        return fixed + entry.name + extra + entry.comment


def _short(value: int) -> int:
    return _MARK if value > _LARGEST else value


def _needed(method: int, large: bool) -> int:
    return max(_NEEDED[method], 45 if large else 0)


def _flags(entry: Entry) -> int:
    return entry.flags | (_LZMA_END_MARK if entry.method == LZMA else 0)


def _end(count: int, begin: int, end: int, comment: bytes) -> bytes:
    """Return the records that end the archive (APPNOTE 4.3.14 to 4.3.16); the zip64 ones only if needed."""
    size = end - begin
    large = b""
    if count >= 0xFFFF or size > _LARGEST or begin > _LARGEST:
        large = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45 | _UNIX << 8, 45, 0, 0, count, count, size, begin)
        large += struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    short = min(count, 0xFFFF)
    fixed = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, short, short, _short(size), _short(begin), len(comment))
    return large + fixed + comment


class _Stored:
    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


class _Lzma:
    """A raw LZMA stream behind its header: SDK version 9.4, size and properties of preset 6 (APPNOTE 5.8.8)."""

    def __init__(self) -> None:
        self._head = struct.pack("<BBHBL", 9, 4, 5, 0x5D, 8 << 20)
        self._lzma = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "preset": 6}])

    def compress(self, data: bytes, /) -> bytes:
        head, self._head = self._head, b""
        return head + self._lzma.compress(data)

    def flush(self) -> bytes:
        return self._head + self._lzma.flush()


def make_compressor(method: int) -> Compressor:
    """Return a compressor with fixed settings for `method`, which must be one of the four above."""
    if method == DEFLATED:
        return zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    if method == BZIP2:
        return bz2.BZ2Compressor(9)
    return _Lzma() if method == LZMA else _Stored()
