"""The content-addressable storage of a farm."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.reapi.contents import (
    Content,
    compress,
    decompress,
    plan_batches,
    read_content,
    run_all,
    verify,
)
from pytest_ftc.integrations.reapi.errors import AlteredError, RemoteError
from pytest_ftc.integrations.reapi.statuses import code_name, describe
from pytest_ftc.integrations.reapi.streams import Streams
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError

EMPTY = Digest.of(b"")
"""The empty content; every server has it, by the specification."""
Found: TypeAlias = "dict[Digest, bytes | MissingError | AlteredError]"
_QUESTION = 80
"""Bytes of one digest in a request."""


@dataclass(slots=True)
class Traffic:
    """What has been moved so far; contents are counted before compression."""

    asked: int = 0
    """Digests that the server was asked for."""
    sent: int = 0
    """Contents uploaded."""
    sent_bytes: int = 0
    received: int = 0
    """Contents downloaded."""
    received_bytes: int = 0


class Cas:
    """Moves contents over `connection`; every downloaded byte is verified."""

    def __init__(self, connection: Connection) -> None:
        self.traffic = Traffic()
        self._connection = connection
        self._streams = Streams(connection)
        self._turns = asyncio.Semaphore(connection.limits.streams)

    async def find_missing(self, digests: Collection[Digest]) -> set[Digest]:
        """Return those of `digests` that the server lacks.  Raises RemoteError, TransientError."""
        wanted = sorted({digest for digest in digests if digest != EMPTY})
        many = max(1, (await self._connection.capabilities()).batch // _QUESTION)
        missing: set[Digest] = set()
        for start in range(0, len(wanted), many):
            part = wanted[start : start + many]
            request = api.FindMissingBlobsRequest(blob_digests=map(api.to_message, part))
            answer = await self._connection.attempt(partial(self._storage, "FindMissingBlobs", request))
            found = {api.to_digest(message) for message in answer.missing_blob_digests}
            if not found <= set(part):
                raise self._connection.refuse("it says that contents are missing for which it was not asked")
            missing |= found
        self.traffic.asked += len(wanted)
        return missing

    async def upload(self, contents: Mapping[Digest, Content]) -> set[Digest]:
        """Upload those of `contents` that the server lacks, and return their digests.

        Raises RemoteError, TransientError, and OSError if a file cannot be read.
        """
        missing = await self.find_missing(contents)
        batches, large = await self._plan(missing)
        capabilities = await self._connection.capabilities()
        works = [partial(self._send_batch, batch, contents) for batch in batches]
        streams = [partial(self._streams.write, digest, contents[digest], capabilities) for digest in large]
        await run_all([*works, *streams], self._turns)
        self.traffic.sent += len(missing)
        self.traffic.sent_bytes += sum(digest.size for digest in missing)
        return missing

    async def read(self, digest: Digest, most: int) -> bytes:
        """Return a content of at most `most` bytes.  Raises MissingError, AlteredError, RemoteError, TransientError."""
        found = (await self.read_all([digest], most))[digest]
        if isinstance(found, Exception):
            raise found
        return found

    async def read_all(self, digests: Iterable[Digest], most: int) -> Found:
        """Return each content, of at most `most` bytes in total, or why it cannot be had.

        Raises RemoteError, TransientError.
        """
        wanted = set(digests)
        if (total := sum(digest.size for digest in wanted)) > most:
            raise RemoteError(f"{self._connection.address}: {total} bytes are more than the {most} that may be read")
        found: Found = {EMPTY: b""} if EMPTY in wanted else {}
        batches, large = await self._plan(wanted - {EMPTY})
        works = [partial(self._read_batch, batch, found) for batch in batches]
        await run_all([*works, *(partial(self._read_large, digest, found) for digest in large)], self._turns)
        got = [digest for digest, content in found.items() if isinstance(content, bytes) and digest != EMPTY]
        self._count(got)
        return found

    async def download(self, digest: Digest, path: Path) -> None:
        """Write a content to the new file `path`, which is removed on failure.

        Raises as `read` does, and OSError.
        """
        with open(path, "xb") as file:
            try:
                if digest != EMPTY:
                    work = partial(self._streams.read, digest, file, await self._connection.capabilities())
                    await run_all([work], self._turns)
                    self._count([digest])
            except BaseException:
                path.unlink(missing_ok=True)
                raise

    async def _plan(self, digests: Collection[Digest]) -> tuple[list[list[Digest]], list[Digest]]:
        return plan_batches(digests, (await self._connection.capabilities()).batch)

    async def _storage(self, method: str, request: Any, size: int = 0) -> Any:
        """Ask once, for use within `attempt`."""
        request.instance_name = self._connection.address.instance
        seconds = self._connection.limits.call + size / self._connection.limits.slowest
        return await self._connection.ask("ContentAddressableStorage", method, request, seconds=seconds)

    async def _send_batch(self, batch: Sequence[Digest], contents: Mapping[Digest, Content]) -> None:
        """Send `batch`; what fails transiently, all or some contents, is sent again."""
        left = set(batch)

        async def send() -> None:
            answer = await self._storage("BatchUpdateBlobs", await self._fill(left, contents), _size(left))
            statuses = {api.to_digest(each.digest): each.status for each in answer.responses}
            refused = [status for digest, status in statuses.items() if digest in left and status.code]
            left.difference_update(digest for digest, status in statuses.items() if not status.code)
            if refused:
                raise self._refusal(refused[0])
            if left:
                raise self._connection.refuse(f"it did not say whether it stored {min(left)}")

        await self._connection.attempt(send)

    async def _fill(self, left: Collection[Digest], contents: Mapping[Digest, Content]) -> Any:
        capabilities = await self._connection.capabilities()
        request = api.BatchUpdateBlobsRequest()
        for digest in sorted(left):
            data, compressor = read_content(contents[digest], digest), api.Compressor.IDENTITY
            if capabilities.zstd_batches and len(packed := compress(data)) < len(data):
                data, compressor = packed, api.Compressor.ZSTD
            request.requests.add(digest=api.to_message(digest), data=data, compressor=compressor)
        return request

    async def _read_batch(self, batch: Sequence[Digest], found: Found) -> None:
        left = set(batch)
        zstd = (await self._connection.capabilities()).zstd_batches
        formats = [api.Compressor.ZSTD] if zstd else []

        async def read() -> None:
            await self._connection.pace(_size(left))
            digests = map(api.to_message, sorted(left))
            request = api.BatchReadBlobsRequest(digests=digests, acceptable_compressors=formats)
            refused = []
            for each in (await self._storage("BatchReadBlobs", request, _size(left))).responses:
                digest = api.to_digest(each.digest)
                if digest not in left:
                    raise self._connection.refuse("it sent a content twice, or one for which it was not asked")
                if each.status.code and code_name(each.status.code) != "NOT_FOUND":
                    refused.append(each.status)
                    continue
                found[digest] = self._judge(digest, each, zstd)
                left.discard(digest)
            if refused:
                raise self._refusal(refused[0])
            if left:
                raise self._connection.refuse(f"it did not answer for {min(left)}")

        await self._connection.attempt(read)

    def _judge(self, digest: Digest, answer: Any, zstd: bool) -> bytes | MissingError | AlteredError:
        if answer.status.code:
            return MissingError(f"{self._connection.address}: {digest} is missing")
        try:
            data: bytes = answer.data
            if answer.compressor == api.Compressor.ZSTD and zstd:
                data = decompress(data, digest)
            elif answer.compressor != api.Compressor.IDENTITY:
                raise AlteredError(f"{digest} came in a compression that nobody asked for")
            verify(digest, data)
        except AlteredError as error:
            return AlteredError(f"{self._connection.address}: {error}")
        return data

    async def _read_large(self, digest: Digest, found: Found) -> None:
        try:
            found[digest] = await self._streams.read_bytes(digest, await self._connection.capabilities())
        except (MissingError, AlteredError) as error:
            found[digest] = error

    def _refusal(self, status: Any) -> Exception:
        return describe(code_name(status.code), status.message, status, str(self._connection.address))

    def _count(self, digests: Collection[Digest]) -> None:
        self.traffic.received += len(digests)
        self.traffic.received_bytes += _size(digests)


def _size(digests: Iterable[Digest]) -> int:
    return sum(digest.size for digest in digests)
