"""Maintaining the store while others use it: statistics, verification and garbage collection."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterator

from pytest_ftc.model import Removed, Soundness, Stats
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.support.file_lock import locked
from pytest_ftc.store.action_cache import open_entry, read_blob_names
from pytest_ftc.store.blob_files import digest_file
from pytest_ftc.store.cas import quarantine
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.entry_files import read_entry
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout, list_files, translated
from pytest_ftc.store.leases import holder_of, read_leases
from pytest_ftc.store.observations.database import Observations
from pytest_ftc.store.secret_key import VARIABLE
from pytest_ftc.store.tier_counts import add_evicted, read_evicted, read_use

MAX_SIZE = 10 << 30
"""Default size limit of a store, in bytes."""
MAX_AGE = 30 * 86400.0
"""Default time to keep unused entries, in seconds."""
MAX_HISTORY = 2 * 365 * 86400.0
"""Time to keep builds in the history, in seconds; a cached verdict that depends on older ones is not reused."""
_DAY = 86400.0


def take_stats(layout: Layout, history: History) -> Stats:
    """Return the statistics of the store.  Raises StoreUnavailableError."""
    with translated(layout.root):
        layout.make()
        blobs, entries = _Sum(), _Sum()
        for _, size in _sizes(layout.blobs):
            blobs.add(size)
        for _, size in _sizes(layout.actions):
            entries.add(size)
        living, _ = read_leases(layout)
        return Stats(
            blobs=blobs.count,
            blob_bytes=blobs.bytes,
            entries=entries.count,
            entry_bytes=entries.bytes,
            quarantined=sum(1 for _ in list_files(layout.quarantine)),
            sessions=len(living),
            builds=history.count(),
            use=read_use(layout),
            evicted=read_evicted(layout),
        )


def verify_store(layout: Layout, history: History, key: bytes) -> Soundness:
    """Read every byte, and quarantine corrupt entries.

    Raises StoreUnavailableError, also if `key` fits no entry at all: then the key is wrong, and nothing is moved.
    """
    with translated(layout.root):
        layout.make()
        _check_key(layout, key)
        blobs, corrupt = 0, []
        for entry in list_files(layout.blobs):
            blobs += 1
            if not _is_sound(entry.path, entry.name):
                quarantine(layout, entry.path)
                corrupt.append(entry.name)
        entries, refused, lacking = 0, [], []
        for entry in list_files(layout.actions):
            entries += 1
            known = _read_entry(entry.path, entry.name, key)
            if known is None:
                continue
            if not known:
                quarantine(layout, entry.path)
                refused.append(entry.name)
            elif any(not os.path.lexists(layout.blob(_name(blob))) for blob in read_blob_names(entry.path)):
                lacking.append(entry.name)
        return Soundness(
            blobs=blobs,
            entries=entries,
            corrupt=tuple(sorted(corrupt)),
            refused=tuple(sorted(refused)),
            lacking=tuple(sorted(lacking)),
            history=tuple(history.check()),
        )


def collect_garbage(layout: Layout, *, max_size: int, max_age: float, wait: bool = True) -> Removed:
    """Remove entries unused for `max_age` seconds, then evict the least recently used ones above `max_size` bytes.

    Contents that no entry needs and no running session uses are removed too.  If another process is collecting, `wait`
    for it or do nothing.  Raises StoreUnavailableError.
    """
    with translated(layout.root), _alone(layout, wait=wait) as alone:
        if not alone:
            return Removed(blobs=0, entries=0, bytes=0, parts=0)
        began = time.time()
        living, pinned = read_leases(layout)
        parts = _remove_parts(layout, living) + _empty_trash(layout) + _remove_old(layout, max_age)
        kept = _Needed(layout)
        removed, size = 0, 0
        now = time.time()
        for path, used, own in sorted(kept.entries, key=lambda entry: entry[1]):
            # After the clock was set back, entries look newer, never older.
            if now - used > max_age or kept.bytes > max_size:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                    removed += 1
                    size += own
                    crash_point("gc.entry-removed")
                kept.let_go(path)
        add_evicted(layout, removed)
        blobs, freed = _sweep(layout, kept.names() | pinned, began)
        return Removed(blobs=blobs, entries=removed, bytes=size + freed, parts=parts)


def tidy_up(history: History) -> None:
    """Collect garbage and forget old builds with the default limits, once a day.  Raises StoreUnavailableError."""
    layout = history.layout
    with translated(layout.root):
        marker = layout.root / "tidied"
        with contextlib.suppress(FileNotFoundError):
            if abs(time.time() - marker.stat().st_mtime) < _DAY:
                return
        marker.touch()
    collect_garbage(layout, max_size=MAX_SIZE, max_age=MAX_AGE, wait=False)
    history.forget(time.time() - MAX_HISTORY)
    Observations(layout).forget(time.time() - MAX_HISTORY)


class _Needed:
    """The contents that entries need, and their total size."""

    def __init__(self, layout: Layout) -> None:
        sizes = {entry.name: size for entry, size in _sizes(layout.blobs)}
        self.entries: list[tuple[str, float, int]] = []
        self._needs: dict[str, tuple[list[str], int]] = {}
        self._users: dict[str, int] = {}
        self._sizes = sizes
        self.bytes = 0
        for entry, size in _sizes(layout.actions):
            with contextlib.suppress(FileNotFoundError):
                self.entries.append((entry.path, entry.stat(follow_symlinks=False).st_mtime, size))
            names = [_name(blob) for blob in read_blob_names(entry.path)]
            self._needs[entry.path] = names, size
            self.bytes += size
            for name in names:
                if name not in self._users:
                    self.bytes += sizes.get(name, 0)
                self._users[name] = self._users.get(name, 0) + 1

    def let_go(self, path: str) -> None:
        names, size = self._needs.pop(path)
        self.bytes -= size
        for name in names:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name]
                self.bytes -= self._sizes.get(name, 0)

    def names(self) -> set[str]:
        return set(self._users)


@contextlib.contextmanager
def _alone(layout: Layout, *, wait: bool) -> Iterator[bool]:
    """Hold the collector's lock: `wait` for another collector, or yield False if there is one."""
    layout.make()
    with locked(f"{layout.trash}.lock", wait=wait) as alone:
        yield alone


def _sweep(layout: Layout, needed: set[str], began: float) -> tuple[int, int]:
    """Remove contents that are not `needed` and are older than `began`; return their number and size."""
    removed, size = 0, 0
    _, pinned = read_leases(layout)
    for entry, own in _sizes(layout.blobs):
        if entry.name in needed or entry.name in pinned or _is_new(entry, began):
            continue
        trash = f"{layout.trash}/{entry.name}-{secrets.token_hex(4)}"
        try:
            os.rename(entry.path, trash)
            crash_point("gc.blob-moved")
        except FileNotFoundError:
            continue
        # A session that pinned it after the leases were read may have seen it in place, so it is moved back.
        # A session that pins it from now on finds that it is missing.
        _, pinned = read_leases(layout)
        if entry.name in pinned:
            os.rename(trash, entry.path)
        else:
            os.unlink(trash)
            removed += 1
            size += own
        crash_point("gc.blob-removed")
    return removed, size


def _is_new(entry: os.DirEntry[str], began: float) -> bool:
    """Return whether it was stored or used since: an entry that needs it may be newer than the list of entries."""
    try:
        return entry.stat(follow_symlinks=False).st_ctime >= began - 1
    except FileNotFoundError:
        return True


def _remove_parts(layout: Layout, living: set[str]) -> int:
    """Remove the temporary files of dead sessions."""
    count = 0
    for entry in list_files(layout.parts):
        if holder_of(entry.name) not in living and holder_of(entry.name) not in read_leases(layout)[0]:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(entry.path)
                count += 1
    return count


def _empty_trash(layout: Layout) -> int:
    """Move back what a killed collector was about to remove; the next collection decides about it."""
    count = 0
    for entry in list_files(layout.trash):
        name = entry.name.partition("-")[0]
        with contextlib.suppress(FileNotFoundError):
            os.makedirs(os.path.dirname(layout.blob(name)), mode=0o700, exist_ok=True)
            os.rename(entry.path, layout.blob(name))
            count += 1
    return count


def _remove_old(layout: Layout, max_age: float) -> int:
    count = 0
    for entry in list_files(layout.quarantine):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - entry.stat(follow_symlinks=False).st_mtime > max_age:
                os.unlink(entry.path)
                count += 1
    return count


def _sizes(folder: object) -> Iterator[tuple[os.DirEntry[str], int]]:
    for entry in list_files(str(folder)):
        with contextlib.suppress(FileNotFoundError):
            yield entry, entry.stat(follow_symlinks=False).st_size


def _is_sound(path: str, name: str) -> bool:
    try:
        return digest_file(path).hash == name
    except FileNotFoundError:
        return True  # removed meanwhile
    except ValueError:
        return False


def _check_key(layout: Layout, key: bytes) -> None:
    """Raise StoreUnavailableError if all entries are well-formed, but none was authenticated with `key`."""
    foreign = 0
    for entry in list_files(layout.actions):
        if _read_entry(entry.path, entry.name, key):
            return
        foreign += bool(read_blob_names(entry.path))
    if foreign:
        raise StoreUnavailableError(
            f"no entry of the store in {layout.root} was authenticated with this key; nothing was changed",
            advice=f"Set {VARIABLE} to the value with which the store was written, or unset it if there was none.",
        )


def _read_entry(path: str, name: str, key: bytes) -> bool | None:
    """Return whether the entry in `path` is authentic; None if it was removed meanwhile."""
    try:
        return open_entry(read_entry(path), name, key) is not None
    except FileNotFoundError:
        return None
    except ValueError:
        return False


def _name(digest: str) -> str:
    try:
        return Digest.parse(digest).hash
    except ValueError:
        return ""


class _Sum:
    def __init__(self) -> None:
        self.count = 0
        self.bytes = 0

    def add(self, size: int) -> None:
        self.count += 1
        self.bytes += size
