"""Reading hostile files with bounded memory: as much at a time as was asked for, never as much as a header claims."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.rules import CHUNK

_LARGEST_READ = 64 << 20
"""Bytes of an extended tar header, or of the directory of a zip archive."""


class Readable(Protocol):
    """What can be read piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


class Decompressor(Protocol):
    """Decompresses one frame, as in the standard library's lzma and bz2."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class Inflater:
    """A decompressor of deflate data, with or without gzip's header, with the interface of lzma's."""

    def __init__(self, wbits: int) -> None:
        self._zlib = zlib.decompressobj(wbits)
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


def read_frame(decompressor: Decompressor, data: bytes, source: Readable) -> Iterator[bytes]:
    """Yield the content of one frame, which begins with `data` and goes on in `source`.

    Raises NormalizationError when it is cut short.
    """
    while not decompressor.eof:
        ended = False
        if not data and decompressor.needs_input:
            data = source.read(CHUNK)
            ended = not data
        piece = decompressor.decompress(data, CHUNK)
        data = b""
        if ended and not piece and not decompressor.eof:
            raise NormalizationError("its compressed data is cut short")
        yield piece


class Window:
    """A part of a file: `length` bytes from `start` on."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file = file
        self._position = start
        self._end = start + length

    def read(self, size: int = -1, /) -> bytes:
        left = self._end - self._position
        self._file.seek(self._position)
        data = self._file.read(left if size < 0 else min(size, left))
        self._position += len(data)
        return data


class SmallReads:
    """A file for tarfile and zipfile, which read a header of whatever size the file claims it to have."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek = file.seek
        self.tell = file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if size > _LARGEST_READ or size < -1:
            raise NormalizationError(f"one of its headers claims {size} bytes")
        data = self._file.read(_LARGEST_READ + 1 if size < 0 else size)
        if len(data) > _LARGEST_READ:
            raise NormalizationError("its directory is too large")
        return data
