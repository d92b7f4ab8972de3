"""Reading from a storage that may hold altered bytes, lack some, or answer nonsense: a fault costs only its content."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeAlias

from pytest_ftc.integrations.reapi.cas import EMPTY, Cas
from pytest_ftc.integrations.reapi.errors import AlteredError, CancelledError, RemoteError, TransientError
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError

Read: TypeAlias = "dict[Digest, bytes | FtcError]"

LARGEST_MESSAGE = 16 << 20
"""Bytes of an action, a command, a folder or a tree."""
_TOGETHER = 16 << 20
"""Bytes of small contents that are read into memory at a time."""


class FaultKind(str, Enum):
    """What is wrong with a content."""

    ALTERED = "altered"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    """The server refuses it, or it is not the message it should be; what it holds is unknown."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A content that cannot be had as its digest promises."""

    kind: FaultKind
    what: str
    """What it is for: ``output bin/app``."""
    digest: Digest
    said: str = ""
    """Why it is unreadable."""

    def __str__(self) -> str:
        if self.kind is FaultKind.ALTERED:
            return f"{self.what} was altered: its bytes are not those of {self.digest}"
        if self.kind is FaultKind.MISSING:
            return f"{self.what} is gone: {self.digest}"
        return f"{self.what} cannot be read: {self.said}"


class FaultsError(Exception):
    """Contents are faulty, and what needs them cannot go on."""

    def __init__(self, faults: Collection[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class Contents:
    """The contents of the storage `cas`; those found sound are remembered, and not read again to be checked."""

    def __init__(self, cas: Cas, scratch: Path) -> None:
        """The folder `scratch` is for large contents while they are checked."""
        self.cas = cas
        self._scratch = scratch
        self._sound: set[Digest] = {EMPTY}

    async def read_message(self, digest: Digest, what: str) -> bytes:
        """Return a content that is a message.  Raises FaultsError, TransientError, CancelledError."""
        return (await self.read_all([digest], {digest: what}))[digest]

    async def read_all(self, digests: Iterable[Digest], names: Mapping[Digest, str]) -> dict[Digest, bytes]:
        """Return contents that are messages.  Raises FaultsError, TransientError, CancelledError."""
        wanted = set(digests)
        if too_large := [digest for digest in wanted if digest.size > LARGEST_MESSAGE]:
            said = f"it should have {too_large[0].size} bytes, and a message has at most {LARGEST_MESSAGE}"
            raise FaultsError([Fault(FaultKind.UNREADABLE, names[too_large[0]], too_large[0], said)])
        found: dict[Digest, bytes] = {}
        for part in portions(wanted):
            read = await self._read(part)
            if faults := [_fault(error, names[one], one) for one, error in read.items() if isinstance(error, FtcError)]:
                raise FaultsError(faults)
            found.update({digest: data for digest, data in read.items() if isinstance(data, bytes)})
        return found

    async def find_missing(self, names: Mapping[Digest, str]) -> list[Fault]:
        """Return a fault for each of the contents `names` that is missing.  Raises RemoteError, TransientError."""
        missing = await self.cas.find_missing(names)
        return [Fault(FaultKind.MISSING, names[digest], digest) for digest in sorted(missing)]

    async def check(self, names: Mapping[Digest, str]) -> list[Fault]:
        """Return what is wrong with the contents `names`, after reading every byte of those not known to be sound.

        Raises TransientError, CancelledError, OSError.
        """
        unknown = names.keys() - self._sound
        faults = await self.find_missing({digest: names[digest] for digest in unknown})
        unknown -= {fault.digest for fault in faults}
        small = {digest for digest in unknown if digest.size <= _TOGETHER // 4}
        results: Read = {}
        for part in portions(small):
            results |= {
                digest: error for digest, error in (await self._read(part)).items() if isinstance(error, FtcError)
            }
        for digest in sorted(unknown - small):
            if error := await self._try_download(digest):
                results[digest] = error
        self._sound |= unknown - results.keys()
        return [
            *faults,
            *(_fault(error, names[one], one) for one, error in results.items() if isinstance(error, FtcError)),
        ]

    async def download(self, digest: Digest, path: Path, what: str) -> None:
        """Write a content to the new file `path`.  Raises FaultsError, TransientError, CancelledError, OSError."""
        try:
            await self.cas.download(digest, path)
        except (TransientError, CancelledError):
            raise
        except (MissingError, RemoteError) as error:
            raise FaultsError([_fault(error, what, digest)]) from None

    async def _read(self, digests: Collection[Digest]) -> Read:
        """Return contents, or why not; where the server refuses them together, each is read by itself."""
        size = sum(digest.size for digest in digests)
        try:
            return dict(await self.cas.read_all(digests, size))
        except (TransientError, CancelledError):
            raise
        except RemoteError as error:
            if len(digests) == 1:
                return dict.fromkeys(digests, error)
        return {digest: content for one in digests for digest, content in (await self._read([one])).items()}

    async def _try_download(self, digest: Digest) -> FtcError | None:
        path = self._scratch / secrets.token_hex(8)
        try:
            await self.cas.download(digest, path)
        except (TransientError, CancelledError):
            raise
        except (MissingError, RemoteError) as error:
            return error
        finally:
            path.unlink(missing_ok=True)
        return None


def _fault(error: FtcError, what: str, digest: Digest) -> Fault:
    if isinstance(error, MissingError):
        return Fault(FaultKind.MISSING, what, digest)
    if isinstance(error, AlteredError):
        return Fault(FaultKind.ALTERED, what, digest)
    return Fault(FaultKind.UNREADABLE, what, digest, error.message)


def portions(digests: Iterable[Digest]) -> Iterable[list[Digest]]:
    """Yield `digests` in portions of a bounded size."""
    portion: list[Digest] = []
    size = 0
    for digest in sorted(digests):
        if portion and size + digest.size > _TOGETHER:
            yield portion
            portion, size = [], 0
        portion.append(digest)
        size += digest.size
    if portion:
        yield portion
