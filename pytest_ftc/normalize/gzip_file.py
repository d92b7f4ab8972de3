"""Gzip (RFC 1952): no name, no time, no system, one member, level 9."""

from __future__ import annotations

import struct
import zlib

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Inflater
from pytest_ftc.normalize.compressed import Codec

_LEVEL = 9
_FEXTRA = 4


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
    decompressor=lambda: Inflater(wbits=16 + zlib.MAX_WBITS),
    compressor=_Writer,
    broken=(zlib.error,),
    padded=True,
    check=_check,
)
