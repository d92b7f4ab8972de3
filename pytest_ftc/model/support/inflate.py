"""Decompressing piece by piece: zlib's decoder with the interface of those in bz2 and lzma."""

from __future__ import annotations

import zlib
from typing import Protocol


class Decompressor(Protocol):
    """Decompresses one stream or frame, as the decoders of bz2, lzma and zstd do."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflater:
    """A decompressor of deflate data, bare or with the header of zlib or gzip (RFC 1950, 1951, 1952).

    `wbits` is as in zlib.decompressobj: negative for bare data, 16 more for gzip.
    """

    def __init__(self, wbits: int) -> None:
        self._decoder = zlib.decompressobj(wbits)
        self._is_full = False

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def needs_input(self) -> bool:
        # zlib may hold the rest of a match back although it has read all input (RFC 1951, 3.2.3).
        return not self._decoder.unconsumed_tail and not self._is_full

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        output = self._decoder.decompress(self._decoder.unconsumed_tail + data, max(max_length, 0))
        self._is_full = len(output) == max_length and not self._decoder.eof
        return output
