"""What is still to be stored in the remote store: done in the background, by one thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError, StoreUnavailableError
from pytest_ftc.model.protocols import Store
from pytest_ftc.model.store import TierTraffic
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.remote_tier import RemoteTier, TierLimits

_ENDING = 3.0
"""Seconds that a call has to end after its connection was closed."""


@dataclass(frozen=True, slots=True)
class _Work:
    act: Callable[[], bool]
    """Returns whether it succeeded."""
    optional: bool = False
    """Whether the session does not wait for it."""


class WriteBack:
    """Copies entries and contents from `local` to `remote`.

    They are read from the local store when their turn comes, so what waits needs little memory.
    """

    def __init__(self, local: LocalStore, remote: RemoteTier, limits: TierLimits) -> None:
        self._local = local
        self._remote = remote
        self._limits = limits
        self._queue: queue.Queue[_Work | None] = queue.Queue(limits.waiting)
        self._ending = False
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._asked = 0
        self._tried = 0
        self._done = 0
        self._sent: dict[str, int] = {"entries": 0, "contents": 0, "bytes": 0}

    @property
    def traffic(self) -> TierTraffic:
        """What was stored so far."""
        with self._lock:
            return TierTraffic(**self._sent)

    def add_entry(self, action: str, *, optional: bool = False) -> None:
        """Have the entry of `action` stored, or only if there is time if that is `optional`."""
        self._add(_Work(partial(self._put_entry, action), optional))

    def add_contents(self, digests: frozenset[Digest]) -> None:
        """Have contents stored."""
        if digests:
            self._add(_Work(partial(self._put_contents, digests)))

    def add_look(self, look: Callable[[Store], None]) -> None:
        """Have `look` look at the remote store, if there is time."""
        self._add(_Work(lambda: not self._remote.attempt(look, None)[1], optional=True))

    def close(self) -> None:
        """Wait a bounded time until all is stored, then disconnect; may be called again."""
        self._ending = True
        thread, self._thread = self._thread, None
        if thread is not None:
            with self._lock:
                self._changed.wait_for(lambda: self._tried == self._asked, self._limits.flush)
        self._remote.close()
        if thread is not None:
            # If the queue is full, the rest fails at once, since the connection is closed.
            with suppress(queue.Full):
                self._queue.put(None, timeout=_ENDING)
            thread.join(_ENDING)
        with self._lock:
            left, self._done = self._asked - self._done, self._asked
        if left:
            self._remote.note(
                f"not in the remote store: {left} of {self._asked} verdicts and sets of outputs, which this machine has"
            )

    def _add(self, work: _Work) -> None:
        with self._lock:
            self._asked += not work.optional
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="ftc-write-back")
                self._thread.start()
        try:
            self._queue.put_nowait(work)
        except queue.Full:
            if work.optional:
                return
            with self._lock:
                self._tried += 1
            self._remote.note(f"more than {self._limits.waiting} verdicts waited for the remote store")

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            if work.optional and self._ending:
                continue
            try:
                done = work.act()
            except (StoreUnavailableError, MissingError):
                done = False  # the local one: its other users say so
            if not work.optional:
                with self._lock:
                    self._tried += 1
                    self._done += done
                    self._changed.notify()

    def _put_entry(self, action: str) -> bool:
        entry = self._local.get_entry(action)
        if not entry:
            return False
        _, failed = self._remote.attempt(lambda store: store.put_entry(action, entry), None)
        if not failed:
            self._count(entries=1, size=len(entry))
        return not failed

    def _put_contents(self, digests: frozenset[Digest]) -> bool:
        files: Mapping[Digest, Path] = {one: Path(self._local.layout.blob(one.hash)) for one in sorted(digests)}
        _, failed = self._remote.attempt(lambda store: store.put_files(files), None)
        if not failed:
            self._count(contents=len(files), size=sum(one.size for one in files))
        return not failed

    def _count(self, *, entries: int = 0, contents: int = 0, size: int = 0) -> None:
        with self._lock:
            self._sent["entries"] += entries
            self._sent["contents"] += contents
            self._sent["bytes"] += size
