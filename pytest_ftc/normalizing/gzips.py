"""Gzip (RFC 1952): no name, no time, no system, one member, level 9."""

from __future__ import annotations

import struct
import zlib

from pytest_ftc.errors import NormalizationError
from pytest_ftc.normalizing.compressed import Codec

_LEVEL = 9
_FEXTRA = 4


class _Member:
    """A decompressor of one gzip member with the interface of lzma's; zlib checks its CRC and length."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)
        self._tail = b""

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not self._tail

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        piece = self._zlib.decompress(self._tail + data, max(max_length, 0))
        self._tail = self._zlib.unconsumed_tail
        return piece


class _Writer:
    """Compresses the deflate stream and the trailer of one member."""

    def __init__(self, size: int) -> None:
        self._zlib = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._size = size
        self._crc = 0

    def compress(self, data: bytes, /) -> bytes:
        self._crc = zlib.crc32(data, self._crc)
        return self._zlib.compress(data)

    def flush(self) -> bytes:
        return self._zlib.flush() + struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF)


def _check(head: bytes) -> None:
    if len(head) > 3 and head[3] & _FEXTRA:
        raise NormalizationError("its gzip header has an extra field: it may be an index (BGZF, dictzip) into the data")


CODEC = Codec(
    name="gzip",
    magic=b"\x1f\x8b\x08",
    # No flags, no time, XFL 2 (best compression), system 255 (unknown).
    header=b"\x1f\x8b\x08\0\0\0\0\0\x02\xff",
    decompressor=_Member,
    compressor=_Writer,
    broken=(zlib.error,),
    padded=True,
    check=_check,
)
