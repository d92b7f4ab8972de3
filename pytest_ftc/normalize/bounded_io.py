"""Reading hostile files with bounded memory: sizes claimed in a header are never trusted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.inflate import Decompressor
from pytest_ftc.normalize.rules import CHUNK

_LARGEST_READ = 64 << 20
"""Bytes of an extended tar header, or of the directory of a zip archive."""


class Readable(Protocol):
    """A source that can be read piece by piece."""

    def read(self, size: int = -1, /) -> bytes: ...


def read_frame(decompressor: Decompressor, data: bytes, source: Readable) -> Iterator[bytes]:
    """Yield the content of one frame, which begins with `data` and continues in `source`.

    Raises NormalizationError if the frame is truncated.
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
    """Part of a file: `length` bytes starting at `start`."""

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
    """Limits how much tarfile and zipfile read at once; both trust the size that a header claims."""

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
