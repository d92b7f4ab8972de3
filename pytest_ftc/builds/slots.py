"""Limits on concurrent builds: of one session, and of all sessions of a user on this machine."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_ftc.model.support.file_lock import try_lock, unlock

_POLL = 0.02
"""Seconds between two attempts to take a slot."""
_LEAST_MEMORY = 128 << 20
"""Bytes that must be available to start a build while others are running."""
_LEAST_DISK = 64 << 20
"""The same for the disk on which builds run; on a small disk, a twentieth of it."""


class Slots:
    """Limits builds to `jobs` in this session, and in all sessions to the number of CPUs, or `jobs` if greater.

    A slot is a locked file in `folder`, so that it is free as soon as its holder ends, even if it is killed (flock(2)).
    Without a usable folder, only the session's own limit applies.  If memory or space on the disk of the folder `work`
    is short, builds run one at a time.
    """

    def __init__(self, jobs: int, folder: Path | None, work: Path | None = None) -> None:
        self._jobs = jobs
        self._work = work
        self._files = _make_files(folder, max(jobs, os.cpu_count() or 1)) if folder else []
        self._turn = threading.Condition()
        self._waiting: list[tuple[bool, int]] = []
        self._numbers = itertools.count()
        self._running = 0
        self._found_none = False

    @property
    def held_by_others(self) -> bool:
        """Whether a build waits although this session may run more: other sessions or workers hold all slots."""
        with self._turn:
            return self._found_none and bool(self._waiting)

    @contextlib.contextmanager
    def taken(self, cancelled: Callable[[], bool], *, first: bool = False) -> Iterator[bool]:
        """Wait for a slot and hold it; yield True, or False if `cancelled` first.

        The build that has waited longest is next, but those that are to be `first` precede all others.
        """
        ticket = (not first, next(self._numbers))
        with self._turn:
            heapq.heappush(self._waiting, ticket)
        held = None
        try:
            held = self._await_slot(ticket, cancelled)
            yield held is not None
        finally:
            with self._turn:
                if held is None:
                    self._waiting.remove(ticket)
                    heapq.heapify(self._waiting)
                else:
                    self._running -= 1
                    # Waiting builds are not notified: they would always precede those of other sessions.
                    _free(held)

    def _await_slot(self, ticket: tuple[bool, int], cancelled: Callable[[], bool]) -> int | None:
        """Return the descriptor of a locked slot, -1 if none is needed, or None."""
        while not cancelled():
            with self._turn:
                if self._waiting[0] == ticket and self._running < self._jobs and not self._is_short():
                    slot = self._try_to_lock()
                    self._found_none = slot is None
                    if slot is not None:
                        heapq.heappop(self._waiting)
                        self._running += 1
                        self._turn.notify_all()
                        return slot
                self._turn.wait(_POLL)
        return None

    def _is_short(self) -> bool:
        # If no other build of this session is running, waiting does not free anything.
        return self._running > 0 and (
            available_memory() < _LEAST_MEMORY or (self._work is not None and is_full(self._work))
        )

    def _try_to_lock(self) -> int | None:
        if not self._files:
            return -1
        # Each starts at another file: otherwise all compete for the first ones, and the last is always late.
        for path in random.sample(self._files, len(self._files)):
            slot = _lock(path)
            if slot is not None:
                return slot
        return None


def available_memory() -> int:
    """Return the bytes available without swapping, see proc_meminfo(5); a large number if unknown."""
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/meminfo") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return 1 << 60


def is_full(folder: Path) -> bool:
    """Return whether the disk of `folder` has no space for another build."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < min(_LEAST_DISK, disk.f_blocks * disk.f_frsize // 20)


def _make_files(folder: Path, count: int) -> list[Path]:
    files = [folder / f"slot-{number}" for number in range(count)]
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for file in files:
            os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    except OSError:
        return []
    return files


def _lock(path: Path) -> int | None:
    try:
        slot = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError:
        # The folder was removed while the session runs: only the session's own limit remains.
        return -1
    try:
        if try_lock(slot):
            return slot
    except OSError:
        pass
    os.close(slot)
    return None


def _free(slot: int) -> None:
    if slot >= 0:
        # A test may have forked meanwhile, and its process has a copy: just closing ours would keep the slot locked.
        with contextlib.suppress(OSError):
            unlock(slot)
        os.close(slot)
