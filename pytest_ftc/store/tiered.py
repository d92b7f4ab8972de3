"""The local store in front of a remote one that sessions share.

Reads ask the local store first; what only the remote one has is verified, then kept locally.  Writes are local, and
copied to the remote store in the background.  Without the remote store, all of it works as with the local one alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, runtime_checkable

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError, StoreUnavailableError
from pytest_ftc.model.protocols import Store
from pytest_ftc.model.store import TierTraffic, TierUse
from pytest_ftc.store.blob_files import digest_file
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.entry_files import LARGEST
from pytest_ftc.store.layout import translated
from pytest_ftc.store.remote_tier import RemoteTier, TierLimits
from pytest_ftc.store.tier_counts import add_use
from pytest_ftc.store.write_back import WriteBack

_LIMITS = TierLimits()


@runtime_checkable
class FindsEntries(Protocol):
    """A store that can tell which entry it has without moving it."""

    def find_entry(self, action: str) -> Digest | None:
        """Return the digest of the entry of `action`; None if there is none.  Raises FtcError."""


class TieredStore:
    """`local` in front of the store that `connect` returns when it is first needed.

    Entries that are not `is_authentic` are returned, so that their reader counts them, but not kept.  Methods raise
    StoreUnavailableError only for the local store.
    """

    def __init__(
        self,
        local: LocalStore,
        connect: Callable[[], Store],
        is_authentic: Callable[[str, bytes], bool],
        limits: TierLimits = _LIMITS,
        is_disputed: Callable[[str, bytes], bool] = lambda _action, _entry: False,
        problem: str = "",
    ) -> None:
        """An entry that `is_disputed` in the remote store replaces the local one; a known `problem` is reported."""
        self._is_disputed = is_disputed
        self._local = local
        self._is_authentic = is_authentic
        self._remote = RemoteTier(connect, limits)
        self._write_back = WriteBack(local, self._remote, limits)
        self._problem = problem
        self._answers: dict[str, str] = {}
        self._received = TierTraffic()
        self._lock = threading.Lock()
        self._is_open = True

    @property
    def problems(self) -> Sequence[str]:
        """Problems with both stores, one sentence each."""
        return (*filter(None, [self._problem]), *self._local.problems, *self._remote.problems)

    @property
    def use(self) -> TierUse:
        """How often each store had the entry that was asked for, and what was moved."""
        with self._lock:
            answers = list(self._answers.values())
            return TierUse(
                local=answers.count("local"),
                remote=answers.count("remote"),
                neither=answers.count("neither"),
                received=self._received,
                sent=self._write_back.traffic,
            )

    @property
    def is_remote_paused(self) -> bool:
        """Whether the remote store is not used now because it failed repeatedly."""
        return self._remote.is_paused

    def get_entry(self, action: str) -> bytes | None:
        """Return the entry of `action`, also an empty or a forged one; None if no store has one."""
        known = self._local.get_entry(action)
        if known and self._is_authentic(action, known):
            self._note(action, "local")
            if not self._is_disputed(action, known):
                self._write_back.add_look(partial(self._look_behind, action, Digest.of(known)))
            return known
        # A local entry that is not trusted is no answer, so it does not hide the remote one.
        found = self._remote.ask(lambda store: store.get_entry(action), None)
        if found is not None and len(found) <= LARGEST and self._is_authentic(action, found):
            self._note(action, "remote", TierTraffic(entries=1, bytes=len(found)))
            self._keep(lambda: self._local.put_entry(action, found))
            return found
        self._note(action, "neither")
        return known if known is not None else found

    def put_entry(self, action: str, entry: bytes) -> None:
        """Store `entry` for `action`; in the remote store later."""
        self._local.put_entry(action, entry)
        self._write_back.add_entry(action)

    def get_file(self, digest: Digest, to: Path) -> None:
        """Write a content to the file `to`.  Raises MissingError."""
        try:
            self._local.get_file(digest, to)
        except MissingError:
            self._fetch(digest)
            self._local.get_file(digest, to)

    def put_files(self, files: Mapping[Digest, Path]) -> None:
        """Store the contents of `files`; in the remote store later."""
        self._local.put_files(files)
        self._write_back.add_contents(frozenset(files))

    def close(self) -> None:
        """Wait a bounded time for what the remote store does not have yet, then end; may be called again."""
        if not self._is_open:
            return
        self._is_open = False
        self._write_back.close()
        self._keep(lambda: add_use(self._local.layout, self.use))
        self._local.close()

    def _look_behind(self, action: str, known: Digest, remote: Store) -> None:
        """Compare the `known` entry with the remote one, and store it there if there is none.

        If another machine had other outputs since, the remote one replaces it, so that it is no answer any more.
        """
        if isinstance(remote, FindsEntries):
            there = remote.find_entry(action)
            if there is None:
                # An earlier session could not store it, or it was evicted.
                self._write_back.add_entry(action, optional=True)
            if there in (None, known):
                return
        found = remote.get_entry(action)
        if found is not None and len(found) <= LARGEST and self._is_disputed(action, found):
            self._keep(lambda: self._local.put_entry(action, found))

    def _fetch(self, digest: Digest) -> None:
        """Bring a content from the remote store to the local one.  Raises MissingError."""
        with translated(self._local.layout.root):
            file = Path(self._local.new_part())

            def get(store: Store) -> bool:
                store.get_file(digest, file)
                return True

            try:
                if not self._remote.ask(get, otherwise=False, may_last=True):
                    raise MissingError(f"the local store does not hold {digest}, and the remote one cannot be used")
                if digest_file(str(file)) != digest:
                    self._remote.note(f"the remote store sent other bytes than those of {digest.hash[:12]}")
                    raise MissingError(f"the remote store sent other bytes than those of {digest}")
                self._local.put_files({digest: file})
            finally:
                file.unlink(missing_ok=True)
        with self._lock:
            self._received = self._received.plus(TierTraffic(contents=1, bytes=digest.size))

    def _note(self, action: str, answer: str, received: TierTraffic | None = None) -> None:
        """Count the first answer for each action: it is looked up again when it is stored."""
        with self._lock:
            self._answers.setdefault(action, answer)
            if received:
                self._received = self._received.plus(received)

    def _keep(self, act: Callable[[], None]) -> None:
        """Do what only later sessions benefit from."""
        try:
            act()
        except StoreUnavailableError as error:
            self._remote.note(f"the local store does not keep what the remote one has: {error.message}")
