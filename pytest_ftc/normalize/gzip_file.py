"""Gzip (RFC 1952): one member, level 9, without file name, time and operating system."""

from __future__ import annotations

import struct
import zlib

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Inflater
from pytest_ftc.normalize.compressed import Codec

_LEVEL = 9
_FEXTRA = 4


class _Writer:
    """Writes the deflate stream and the trailer of one member."""

    def __init__(self, size: int) -> None:
        self._zlib = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._size = size
        self._crc = 0

    def compress(self, data: bytes, /) -> bytes:
        self._crc = zlib.crc32(data, self._crc)
        return self._zlib.compress(data)

    def flush(self) -> bytes:
        # RFC 1952 2.3.1: ISIZE is the size modulo 2**32.
        return self._zlib.flush() + struct.pack("<LL", self._crc, self._size & 0xFFFFFFFF)


def _check(head: bytes) -> None:
    if len(head) > 3 and head[3] & _FEXTRA:
        raise NormalizationError("its gzip header has an extra field: it may be an index (BGZF, dictzip) into the data")


CODEC = Codec(
    name="gzip",
    magic=b"\x1f\x8b\x08",
    # RFC 1952 2.3.1: FLG 0, MTIME 0 (no timestamp), XFL 2 (best compression), OS 255 (unknown).
    header=b"\x1f\x8b\x08\0\0\0\0\0\x02\xff",
    decompressor=lambda: Inflater(wbits=16 + zlib.MAX_WBITS),
    compressor=_Writer,
    broken=(zlib.error,),
    # Tapes pad files to whole blocks, so gzip ignores trailing zeros (its manual, "Using gzip on tapes").
    padded=True,
    check=_check,
)
