"""Brings entries, and the contents of outputs, from the store that sessions share to the local one."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Protocol

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError
from pytest_ftc.store.action_cache import Entry, open_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.verification.warming.actions import Wanted


class SharedEntries(Protocol):
    """The store that sessions share, see `SharedStore` of the integration."""

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`; None if there is none."""

    def find_entry(self, action: str) -> Digest | None:
        """Return the digest of the entry of `action`; None if there is none."""

    def find_missing(self, digests: Collection[Digest]) -> set[Digest]:
        """Return those of `digests` that are not there."""

    def get_file(self, digest: Digest, to: Path) -> None:
        """Write a content to the new file `to`.  Raises MissingError."""


class State(str, Enum):
    """What became of what an artifact needs."""

    HERE = "here"
    """The local store has it."""
    PLANNED = "to fetch"
    FETCHED = "fetched"
    ABSENT = "not there"
    """The artifact will be built."""
    REFUSED = "refused"
    """It is not authentic."""
    NO_ROOM = "no room"
    """Other entries would be evicted for it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmed:
    """What became of what one artifact needs."""

    artifact: str
    state: State
    entry_bytes: int = 0
    """Bytes of its entry, if it was or will be fetched."""
    contents: int = 0
    """Contents of outputs that were or will be fetched."""
    content_bytes: int = 0
    gone: int = 0
    """Contents of outputs that the shared store no longer has, which no verdict needs."""
    reason: str = ""


class Room:
    """The bytes that fit into the local store without evicting anything."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Return whether `size` more bytes fit, and reserve them."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Warmer:
    """Fetches from `shared` to `local`, entries that `key` authenticates, as far as there is `room`."""

    local: LocalStore
    shared: SharedEntries
    key: bytes
    room: Room
    outputs: bool
    """Whether contents of outputs are fetched too."""
    plan: bool
    """Whether nothing is kept."""

    def warm_all(self, wanted: Sequence[Wanted], concurrency: int) -> list[Warmed]:
        """Return what became of each of `wanted`; a failure of one does not affect others."""
        with ThreadPoolExecutor(concurrency) as pool:
            return list(pool.map(self.warm, wanted))

    def warm(self, wanted: Wanted) -> Warmed:
        """Return what became of what `wanted` needs."""
        if not wanted.action:
            return Warmed(artifact=wanted.artifact, state=State.ABSENT, reason=wanted.why)
        try:
            return self._warm(wanted.artifact, wanted.action)
        except (FtcError, OSError) as error:
            reason = error.message if isinstance(error, FtcError) else str(error)
            return Warmed(artifact=wanted.artifact, state=State.FAILED, reason=reason)

    def _warm(self, name: str, action: str) -> Warmed:
        known = self._open(action, self.local.get_entry(action))
        if known:
            return self._with_outputs(Warmed(artifact=name, state=State.HERE), known)
        found = self.shared.find_entry(action)
        if found is None:
            return Warmed(artifact=name, state=State.ABSENT, reason="nobody has stored its verdict; it will be built")
        if not self.room.take(found.size):
            return Warmed(artifact=name, state=State.NO_ROOM, entry_bytes=found.size)
        if self.plan and not self.outputs:
            return Warmed(artifact=name, state=State.PLANNED, entry_bytes=found.size)
        data = self.shared.get_entry(action)
        entry = self._open(action, data)
        if data is None:
            return Warmed(artifact=name, state=State.ABSENT, reason="its verdict is no longer there; it will be built")
        if entry is None:
            return Warmed(artifact=name, state=State.REFUSED, reason="its verdict is not authentic; it will be built")
        if not self.plan:
            self.local.put_entry(action, data)
        state = State.PLANNED if self.plan else State.FETCHED
        return self._with_outputs(Warmed(artifact=name, state=state, entry_bytes=len(data)), entry)

    def _open(self, action: str, data: bytes | None) -> Entry | None:
        return open_entry(data, action, self.key) if data else None

    def _with_outputs(self, warmed: Warmed, entry: Entry) -> Warmed:
        """Return `warmed` with the contents of the outputs of `entry`, now fetched if that is asked for."""
        lacking = self.local.missing(_digests(entry.blobs)) if self.outputs else []
        gone = self.shared.find_missing(lacking) if lacking else set()
        there = [digest for digest in lacking if digest not in gone]
        if not there:
            return replace(warmed, gone=len(gone))
        size = sum(digest.size for digest in there)
        if not self.room.take(size):
            return replace(warmed, gone=len(gone), reason=f"no room for {size} bytes of outputs")
        if not self.plan:
            there = [digest for digest in there if self._fetch(digest)]
        fetched = State.PLANNED if self.plan else State.FETCHED
        return replace(
            warmed,
            state=fetched if there else warmed.state,
            contents=len(there),
            content_bytes=sum(digest.size for digest in there),
            gone=len(lacking) - len(there),
        )

    def _fetch(self, digest: Digest) -> bool:
        """Return whether the content is in the local store now."""
        file = Path(self.local.new_part())
        try:
            self.shared.get_file(digest, file)
            # Not as a known content: it is hashed again while it is stored.
            return self.local.put_file(file) == digest
        except MissingError:
            return False
        finally:
            file.unlink(missing_ok=True)


def _digests(names: Iterable[str]) -> list[Digest]:
    """Return the digests of the outputs that an authentic entry names."""
    return [Digest.parse(name) for name in names]
