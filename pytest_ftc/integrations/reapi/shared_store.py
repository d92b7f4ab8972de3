"""A store that sessions share, in a farm: contents in its CAS, entries in its action cache.

The format, so that any server keeps it, also one that checks what an action names:

- an entry is a content of the CAS, as in a local store: an authentication code, a newline, and JSON;
- it is the output file ``entry`` of an ``ActionResult`` with exit code 0;
- the ``Action`` of that result is never executed.  Its input root is the empty folder, its command has the arguments
  ``pytest-ftc verdict 1`` and the output ``entry``, and its salt is the HMAC-SHA256, under the store's key, of
  ``pytest-ftc shared entry``, a zero byte and the digest of our own action.  So users with different keys do not
  replace each other's entries, and nobody else can tell which entry is whose.

Contents are verified here; entries are authenticated by their readers, as those of any other store.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.action_cache import RemoteActionCache
from pytest_ftc.integrations.reapi.address import Limits, RemoteAddress
from pytest_ftc.integrations.reapi.cas import EMPTY, Cas, Traffic
from pytest_ftc.integrations.reapi.connection import Connection
from pytest_ftc.integrations.retry import Persistence
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError
from pytest_ftc.store.entry_files import LARGEST

LIMITS = Limits(
    call=5.0, persistence=Persistence(attempts=2, first_wait=0.2, longest_wait=1.0, longest_asked=2.0, failures=5)
)
"""Less patient than for builds: without an answer, the artifact is built."""
_ARGUMENTS = ("pytest-ftc", "verdict", "1")
_OUTPUT = "entry"


@dataclass(frozen=True, slots=True)
class _Named:
    """The action under which an entry is stored, and the contents that stand for it."""

    digest: Digest
    contents: Mapping[Digest, bytes]


class SharedStore:
    """The store in the farm of `connection` for the holders of `key`; implements the protocol ``Store``."""

    problems: Sequence[str] = ()

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection = connection
        self._key = key
        self._cas = Cas(connection)
        self._results = RemoteActionCache(connection)

    @property
    def traffic(self) -> Traffic:
        """What has been moved so far."""
        return self._cas.traffic

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`; None if there is none.  Raises RemoteError."""
        return self._connection.call(self._get_entry(action))

    def find_entry(self, action: str) -> Digest | None:
        """Return the digest of the entry of `action`, which may be gone; None if there is none.  Raises RemoteError."""
        return self._connection.call(self._find_entry(action))

    def put_entry(self, action: str, entry: bytes) -> None:
        """Store `entry` for `action`, replacing any other.  Raises RemoteError."""
        self._connection.call(self._put_entry(action, entry))

    def get_file(self, digest: Digest, to: Path) -> None:
        """Write a content to the new file `to`.  Raises MissingError, RemoteError, OSError."""
        self._connection.call(self._cas.download(digest, to))

    def find_missing(self, digests: Collection[Digest]) -> set[Digest]:
        """Return those of `digests` that are not there.  Raises RemoteError."""
        return self._connection.call(self._cas.find_missing(digests))

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        """Store the contents of `files`.  Raises RemoteError, OSError."""
        self._connection.call(self._cas.upload(files))

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()

    async def _find_entry(self, action: str) -> Digest | None:
        result = await self._results.get(self._name(action).digest)
        if result is None:
            return None
        for file in result.output_files:
            if file.path == _OUTPUT:
                return api.to_digest(file.digest)
        raise self._connection.refuse(f"the result in its action cache has no output {_OUTPUT!r}")

    async def _get_entry(self, action: str) -> bytes | None:
        digest = await self._find_entry(action)
        if digest is None:
            return None
        try:
            return await self._cas.read(digest, LARGEST)
        except MissingError:
            return None

    async def _put_entry(self, action: str, entry: bytes) -> None:
        named, digest = self._name(action), Digest.of(entry)
        await self._cas.upload({**named.contents, digest: entry})
        result = api.ActionResult(output_files=[api.OutputFile(path=_OUTPUT, digest=api.to_message(digest))])
        await self._results.put(named.digest, result)

    def _name(self, action: str) -> _Named:
        salt = hmac.new(self._key, b"pytest-ftc shared entry\0" + action.encode(), hashlib.sha256).digest()
        command = api.serialize(api.Command(arguments=_ARGUMENTS, output_paths=[_OUTPUT]))
        stands_for: Any = api.Action(
            command_digest=api.to_message(Digest.of(command)), input_root_digest=api.to_message(EMPTY), salt=salt
        )
        data = api.serialize(stands_for)
        return _Named(Digest.of(data), {Digest.of(command): command, Digest.of(data): data})


def open_shared_store(
    address: RemoteAddress, key: bytes, cancelled: Callable[[], bool] = lambda: False, limits: Limits = LIMITS
) -> SharedStore:
    """Return the store at `address`; nothing is asked yet."""
    return SharedStore(Connection(replace(address, limits=limits), cancelled), key)
