"""Compressed files with one payload, and bounded decompression for all formats."""

from __future__ import annotations

import bz2
import importlib
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from pytest_ftc.comparison.members.contents import Contents, Member
from pytest_ftc.comparison.members.limits import Budget, LimitReachedError
from pytest_ftc.comparison.members.span import Span, spool
from pytest_ftc.model.place import FileFormat
from pytest_ftc.model.support.inflate import Decompressor, Inflater

_CHUNK = 1 << 16
_STEP = 1 << 18
"""Most bytes that one call may decompress, so that a decompression bomb meets the limits early."""
_LZIP_TRAILER = 20
"""Bytes: CRC32 of the payload, its size, and that of the member."""
_MEMORY = 128 << 20
"""Memory limit of a decoder, in bytes; the largest preset of xz needs 65 MiB."""


def deflate_decoder() -> Decompressor:
    return Inflater(-zlib.MAX_WBITS)


def zlib_decoder() -> Decompressor:
    return Inflater(zlib.MAX_WBITS)


def gzip_decoder() -> Decompressor:
    return Inflater(16 + zlib.MAX_WBITS)


def bzip2_decoder() -> Decompressor:
    return bz2.BZ2Decompressor()


def xz_decoder() -> Decompressor:
    return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_MEMORY)


def lzma_decoder(properties: bytes, size: int) -> Decompressor:
    """Return a decoder for a bare LZMA stream; `size` is -1 if the stream ends with a marker."""
    # A raw decoder has no memory limit, so the header of a .lzma file is put before the stream: the properties, then
    # the uncompressed size in 8 bytes, of which -1 means unknown (lzma-file-format.txt in XZ Utils).
    decoder = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=_MEMORY)
    decoder.decompress(properties + size.to_bytes(8, "little", signed=True), 1)
    return decoder


def zstd_decoder() -> Decompressor:
    """Raises LimitReachedError without zstd support: Python 3.14 and later have it, else backports.zstd."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    try:
        return cast(Decompressor, importlib.import_module(name).ZstdDecompressor())
    except ImportError:
        raise LimitReachedError("zstd support is not installed: pip install pytest-ftc[zstd]") from None


@dataclass(slots=True)
class Decompressed:
    """The payload of one or several consecutive streams."""

    payload: Span
    starts: list[int] = field(default_factory=list)
    """Where each stream starts."""
    end: int = 0
    """Where the last one ends."""


def decompress(span: Span, make: Callable[[], Decompressor], budget: Budget, *, single: bool = False) -> Decompressed:
    """Decompress the consecutive streams at the start of `span`; only the first one if `single`.

    Raises LimitReachedError, OutOfTimeError, EOFError for a truncated stream, and any exception of the decoder.
    """
    result = Decompressed(payload=span)
    magic = b"" if single else span.read(0, 2)

    def chunks() -> Iterator[bytes]:
        while not result.starts or (not single and span.read(result.end, 2) == magic):
            result.starts.append(result.end)
            yield from _one_stream(span, make(), result)
            _skip_padding(span, result, budget)

    result.payload = spool(chunks(), budget)
    return result


def _one_stream(span: Span, decoder: Decompressor, result: Decompressed) -> Iterator[bytes]:
    position = result.end
    while not decoder.eof:
        wanted, data = decoder.needs_input, b""
        if wanted:
            data = span.read(position, _CHUNK)
            position += len(data)
        out = decoder.decompress(data, _STEP)
        if wanted and not data and not out and not decoder.eof:
            raise EOFError("the compressed data ends too early")
        yield out
    result.end = position - len(decoder.unused_data)


def _skip_padding(span: Span, result: Decompressed, budget: Budget) -> None:
    """Skip multiples of four zeros ("Stream Padding", section 2.2 of the .xz file format)."""
    while result.end < span.size and span.read(result.end, 4) == bytes(4):
        budget.check_time()
        result.end += 4


def payload_members(span: Span, done: Decompressed) -> Iterator[Member]:
    """Yield the payload, and any data after the last stream."""
    yield Member(name="payload", payload=True, content=lambda: done.payload)
    if done.end < span.size:
        rest = span.part(done.end, span.size - done.end)
        yield Member(name="rest", part="data after the compressed stream", stored=rest)


def _read(span: Span, budget: Budget, format_: FileFormat, make: Callable[[], Any]) -> Contents:
    return _contents(span, decompress(span, make, budget), format_)


def _contents(span: Span, done: Decompressed, format_: FileFormat) -> Contents:
    return Contents(
        format=format_,
        noun=format_,
        members=tuple(payload_members(span, done)),
        recoded=f"{format_} stream (compression level or tool)",
    )


def is_xz(span: Span, name: str) -> bool:
    return span.read(0, 6) == b"\xfd7zXZ\0"


def is_bzip2(span: Span, name: str) -> bool:
    # The fourth byte is the level; each block starts with the digits of pi.
    return span.read(0, 3) == b"BZh" and span.read(4, 6) == b"1AY&SY"


def is_zstd(span: Span, name: str) -> bool:
    return span.read(0, 4) == b"\x28\xb5\x2f\xfd"


def is_lzip(span: Span, name: str) -> bool:
    return span.read(0, 5) == b"LZIP\1"


def read_lzip(span: Span, budget: Budget) -> Contents:
    """Read the members of a lzip file, each a bare LZMA stream between a header and a trailer (lzip(1))."""
    done = Decompressed(payload=span)

    def chunks() -> Iterator[bytes]:
        while is_lzip(head := span.part(done.end, min(6, span.size - done.end)), ""):
            done.starts.append(done.end)
            done.end += 6
            yield from _one_stream(span, lzma_decoder(_lzip_properties(head.read(5, 1)[0]), -1), done)
            done.end = min(done.end + _LZIP_TRAILER, span.size)

    done.payload = spool(chunks(), budget)
    return _contents(span, done, FileFormat.LZIP)


def _lzip_properties(coded: int) -> bytes:
    """Return the properties of an LZMA stream of lzip, which has but the size of the dictionary, in one byte."""
    base = 1 << (coded & 0x1F)
    return b"\x5d" + (base - base // 16 * (coded >> 5)).to_bytes(4, "little")


def read_xz(span: Span, budget: Budget) -> Contents:
    return _read(span, budget, FileFormat.XZ, xz_decoder)


def read_bzip2(span: Span, budget: Budget) -> Contents:
    return _read(span, budget, FileFormat.BZIP2, bzip2_decoder)


def read_zstd(span: Span, budget: Budget) -> Contents:
    return _read(span, budget, FileFormat.ZSTD, zstd_decoder)
