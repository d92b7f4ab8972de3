"""Contents that are moved: read, verified, compressed, and put into batches."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ftc.integrations.reapi.capabilities import zstd
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.model.digest import Digest

Content: TypeAlias = "bytes | Path"
OVERHEAD = 256
"""Bytes of a batch that each of its contents may need besides its own: digest, status and framing."""
CHUNK = 1 << 20
"""Bytes of one message of a stream."""
_WORTHWHILE = 1 << 10
"""Bytes below which a content is not worth compressing."""


def plan_batches(digests: Collection[Digest], limit: int) -> tuple[list[list[Digest]], list[Digest]]:
    """Return batches of at most `limit` bytes with their overhead, and the contents that are too large for one."""
    batches: list[list[Digest]] = []
    large: list[Digest] = []
    room = 0
    for digest in sorted(digests, key=lambda digest: (digest.size, digest.hash)):
        need = digest.size + OVERHEAD
        if need > limit:
            large.append(digest)
        elif need > room:
            batches.append([digest])
            room = limit - need
        else:
            batches[-1].append(digest)
            room -= need
    return batches, large


async def run_all(works: Iterable[Callable[[], Awaitable[None]]], turns: asyncio.Semaphore) -> None:
    """Run `works` at the same time as far as `turns` allows; the first error cancels the others, and is raised."""

    async def run(work: Callable[[], Awaitable[None]]) -> None:
        async with turns:
            await work()

    tasks = [asyncio.ensure_future(run(work)) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_content(content: Content, digest: Digest) -> bytes:
    """Return a content for an upload.  Raises RemoteError if it no longer has `digest`, OSError."""
    return b"".join(read_chunks(content, digest))


def read_chunks(content: Content, digest: Digest) -> Iterator[bytes]:
    """Yield a content in chunks; the last one only if all of them have `digest`.  Raises RemoteError, OSError."""
    check, size, last = hashlib.sha256(), 0, b""
    for chunk in _chunks(content):
        if size:
            yield last
        check.update(chunk)
        size += len(chunk)
        last = chunk
        if size > digest.size:
            break
    if (check.hexdigest(), size) != digest:
        raise RemoteError(f"{content if isinstance(content, Path) else 'a content'} changed before its upload")
    yield last


def verify(digest: Digest, data: bytes) -> None:
    """Raise AlteredError unless `data` has `digest`."""
    if len(data) != digest.size or hashlib.sha256(data).hexdigest() != digest.hash:
        raise altered(digest)


def altered(digest: Digest) -> AlteredError:
    """Return the error for a content that does not have its digest."""
    return AlteredError(f"{digest} was altered: its bytes do not have this digest")


def compress(data: bytes) -> bytes:
    """Return `data` compressed by Zstandard, or as it is where that does not pay."""
    return zstd().compress(data) if len(data) >= _WORTHWHILE else data


class Inflater:
    """Decompresses Zstandard to at most `most` bytes."""

    def __init__(self, digest: Digest) -> None:
        self._digest = digest
        self._library: Any = zstd()
        self._decompressor: Any = self._library.ZstdDecompressor()
        self._left = digest.size

    def feed(self, data: bytes) -> bytes:
        """Return what `data` adds.  Raises AlteredError if it is not valid, or too much."""
        made: list[bytes] = []
        try:
            while data or not (self._decompressor.eof or self._decompressor.needs_input):
                if self._decompressor.eof:
                    # A content may be several frames.
                    self._decompressor = self._library.ZstdDecompressor()
                piece = self._decompressor.decompress(data, max_length=min(self._left, CHUNK) + 1)
                self._left -= len(piece)
                if self._left < 0:
                    raise altered(self._digest)
                made.append(piece)
                data = self._decompressor.unused_data if self._decompressor.eof else b""
        except self._library.ZstdError:
            raise altered(self._digest) from None
        return b"".join(made)


def decompress(data: bytes, digest: Digest) -> bytes:
    """Return decompressed `data`.  Raises AlteredError if it is not valid, or larger than `digest` says."""
    return Inflater(digest).feed(data)


def _chunks(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        for start in range(0, len(content), CHUNK):
            yield content[start : start + CHUNK]
        return
    with open(content, "rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
