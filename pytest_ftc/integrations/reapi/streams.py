"""Contents that are too large for a batch: Google's ByteStream.

See https://github.com/googleapis/googleapis/blob/master/google/bytestream/bytestream.proto, and the resource names in
``service ContentAddressableStorage`` of the Remote Execution API.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, BinaryIO

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.capabilities import Capabilities, zstd
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.contents import CHUNK, Content, Inflater, altered, read_chunks
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError


class Streams:
    """Reads and writes single contents; a broken transfer starts again from the first byte.

    Servers need not support anything else, and real ones do not: ``QueryWriteStatus`` is unimplemented.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def write(self, digest: Digest, content: Content, capabilities: Capabilities) -> None:
        """Upload a content.  Raises RemoteError, TransientError, and OSError if a file cannot be read."""
        name = f"uploads/{{}}/{_resource(digest, capabilities.zstd)}"

        async def send() -> None:
            chunks = read_chunks(content, digest)
            source = _Source(_compressed(chunks) if capabilities.zstd else chunks, self._name(name))
            call = self._connection.start("ByteStream", "Write", source.requests(), seconds=self._limit(digest))
            try:
                answer = self._connection.understand(await call)
            except asyncio.CancelledError:
                # So grpc says that the requests came to an end by an error.
                if source.error:
                    raise source.error from None
                raise
            finally:
                call.cancel()
            # A server that has the content by now may end the call early; -1 is its word for that if compressed.
            ends = {digest.size, -1, source.sent} if capabilities.zstd else {digest.size}
            if answer.committed_size not in ends:
                raise self._connection.refuse(f"it stored {answer.committed_size} bytes of {digest}")

        await self._connection.attempt(send)

    async def read(self, digest: Digest, file: BinaryIO, capabilities: Capabilities) -> None:
        """Write a content to the empty `file`.

        Raises MissingError, AlteredError, RemoteError, TransientError, and OSError if the file cannot be written.
        """
        request = api.ReadRequest(resource_name=self._name(_resource(digest, capabilities.zstd)))

        async def receive() -> None:
            file.seek(0)
            file.truncate()
            check, size = hashlib.sha256(), 0
            inflate: Callable[[bytes], bytes] = Inflater(digest).feed if capabilities.zstd else bytes
            call = self._connection.start("ByteStream", "Read", request, seconds=self._limit(digest))
            try:
                async for message in call:
                    answer = self._connection.understand(message)
                    data = inflate(answer.data)
                    size += len(data)
                    if size > digest.size:
                        raise altered(digest)
                    check.update(data)
                    file.write(data)
                    await self._connection.pace(len(answer.data))
            finally:
                call.cancel()
            if (check.hexdigest(), size) != digest:
                raise altered(digest)

        try:
            await self._connection.attempt(receive)
        except AlteredError as error:
            raise AlteredError(f"{self._connection.address}: {error}") from None
        except RemoteError as error:
            if error.status == "NOT_FOUND":
                raise MissingError(f"{self._connection.address}: {digest} is missing") from None
            raise
        file.flush()

    async def read_bytes(self, digest: Digest, capabilities: Capabilities) -> bytes:
        """Return a content; raises as `read` does."""
        file = io.BytesIO()
        await self.read(digest, file, capabilities)
        return file.getvalue()

    def _name(self, resource: str) -> str:
        instance = self._connection.address.instance
        name = resource.format(uuid.uuid4())
        return f"{instance}/{name}" if instance else name

    def _limit(self, digest: Digest) -> float:
        return self._connection.limits.call + digest.size / self._connection.limits.slowest


class _Source:
    """The requests of one upload, and the error that ended it: grpc would hide that."""

    def __init__(self, chunks: Iterator[bytes], name: str) -> None:
        self.error: Exception | None = None
        self.sent = 0
        self._chunks = chunks
        self._name = name

    async def requests(self) -> AsyncIterator[Any]:
        try:
            previous = next(self._chunks)
            for chunk in self._chunks:
                yield self._request(previous, last=False)
                previous = chunk
            yield self._request(previous, last=True)
        except (RemoteError, OSError) as error:
            self.error = error
            raise

    def _request(self, data: bytes, *, last: bool) -> Any:
        request = api.WriteRequest(resource_name=self._name, write_offset=self.sent, data=data, finish_write=last)
        self.sent += len(data)
        return request


def _resource(digest: Digest, compressed: bool) -> str:
    return f"compressed-blobs/zstd/{digest}" if compressed else f"blobs/{digest}"


def _compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the frame of `chunks`, in messages of a fair size."""
    compressor = zstd().ZstdCompressor()
    ready = bytearray()
    for chunk in chunks:
        ready += compressor.compress(chunk)
        if len(ready) >= CHUNK:
            yield bytes(ready)
            ready.clear()
    yield bytes(ready) + compressor.flush()
