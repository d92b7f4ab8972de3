"""Looking for given bytes in outputs, also inside what is compressed."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, cast

_CHUNK = 1 << 20
_MOST_DECOMPRESSED = 1 << 28
"""Bytes of one output that are decompressed: a bomb ends there."""
_FAULTS = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


def find_bytes(path: Path, wanted: Mapping[bytes, str]) -> Iterator[tuple[str, str]]:
    """Yield the member (empty for the file itself) and what `wanted` calls the bytes that stand there, each once.

    Raises OSError when the file cannot be read; what cannot be decompressed is searched as it is.
    """
    with open(path, "rb") as file:
        yield from (("", what) for what in _search(file, wanted, None))
        file.seek(0)
        yield from _search_compressed(file, wanted)


def _search_compressed(file: IO[bytes], wanted: Mapping[bytes, str]) -> Iterator[tuple[str, str]]:
    start = file.read(6)
    file.seek(0)
    try:
        if opened := _decompress(file, start):
            with opened as stream:
                yield from (("its contents", what) for what in _search(stream, wanted, _MOST_DECOMPRESSED))
        elif zipfile.is_zipfile(file):
            left = _MOST_DECOMPRESSED
            with zipfile.ZipFile(file) as archive:
                for entry in archive.infolist():
                    if left <= 0:
                        return
                    # One that cannot be read hides no other.
                    with contextlib.suppress(*_FAULTS), archive.open(entry) as stream:
                        yield from ((entry.filename, what) for what in _search(stream, wanted, left))
                    left -= entry.file_size
    except _FAULTS:
        return


def _decompress(file: IO[bytes], start: bytes) -> IO[bytes] | None:
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(file, "rb"))
    if start.startswith(b"BZh"):
        return cast(IO[bytes], bz2.open(file, "rb"))
    return cast(IO[bytes], lzma.open(file, "rb")) if start.startswith(b"\xfd7zXZ") else None


def _search(stream: IO[bytes], wanted: Mapping[bytes, str], most: int | None) -> list[str]:
    overlap = max(map(len, wanted), default=1) - 1
    found: dict[str, None] = {}
    tail, total = b"", 0
    while (most is None or total < most) and (chunk := stream.read(_CHUNK)):
        total += len(chunk)
        data = tail + chunk
        found.update(dict.fromkeys(what for item, what in wanted.items() if item in data))
        tail = data[-overlap:] if overlap else b""
    return list(found)
