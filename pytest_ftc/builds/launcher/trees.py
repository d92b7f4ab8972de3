"""Copying and removing source trees with any kind of file."""

from __future__ import annotations

import os
import stat
import sys
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Entries = Callable[[str], Iterable[str]]

_CHUNK = 1 << 20

_EARLIEST = 315_705_600 * 1_000_000_000
"""1980-01-03, in nanoseconds since 1970: late enough for zip (APPNOTE 4.4.6) in every time zone."""


def list_folder(folder: str) -> list[str]:
    """Return the names in `folder` in the order in which the file system lists them."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


class Change(NamedTuple):
    """What a copy of a tree has otherwise than the tree."""

    mtime_shift: int = 0
    """Seconds added to times, or subtracted where the result would be before 1980, which zip cannot store."""
    umask: int | None = None
    """The umask under which the modes of the files seem to have come about; None keeps them."""


def copy_tree(
    source: str, target: str, *, mtime_shift: int = 0, umask: int | None = None, entries: Entries = list_folder
) -> list[str]:
    """Copy the folder `source` to the existing folder `target`: files, folders, symlinks and FIFOs, in order.

    Modes and times are kept, unless a `Change` is asked for.  Returns the paths of the sockets and device files, which
    are omitted.
    """
    return _copy_folder(source, target, Change(mtime_shift, umask), entries)


def _copy_folder(source: str, target: str, change: Change, entries: Entries) -> list[str]:
    left_out: list[str] = []
    for name in entries(source):
        left_out += _copy_entry(os.path.join(source, name), os.path.join(target, name), change, entries)
    _copy_metadata(target, os.stat(source), change)
    return left_out


def _copy_entry(source: str, target: str, change: Change, entries: Entries) -> list[str]:
    status = os.lstat(source)
    if stat.S_ISREG(status.st_mode):
        _copy_file(source, target, status, change)
    elif stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
        os.utime(target, ns=_moved_times(status, change), follow_symlinks=False)
    elif stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o700)
        return _copy_folder(source, target, change, entries)
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(target)
        _copy_metadata(target, status, change)
    else:
        return [source]
    return []


def _copy_file(source: str, target: str, status: os.stat_result, change: Change) -> None:
    """Copy a regular file with as few system calls as possible: a tree may have tens of thousands of files."""
    read = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            copied = 0
            while data := os.read(read, min(_CHUNK, status.st_size or _CHUNK)):
                write_all(write, data)
                copied += len(data)
                if copied >= status.st_size > 0:
                    break
            os.fchmod(write, _changed_mode(status, change))
            os.utime(write, ns=_moved_times(status, change))
        finally:
            os.close(write)
    finally:
        os.close(read)


def copy_file(source: str, target: str) -> None:
    """Copy the regular file `source` to `target`, which does not exist yet.  Raises OSError."""
    _copy_file(source, target, os.lstat(source), Change())


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`: write(2) may write only a part.  Raises OSError."""
    written = os.write(descriptor, data)
    while written < len(data):
        data = data[written:]
        written = os.write(descriptor, data)


def _copy_metadata(target: str, status: os.stat_result, change: Change) -> None:
    os.chmod(target, _changed_mode(status, change))
    os.utime(target, ns=_moved_times(status, change))


def _changed_mode(status: os.stat_result, change: Change) -> int:
    """Return the mode with different bits for group and others: those of another umask."""
    mode = stat.S_IMODE(status.st_mode)
    if change.umask is None:
        return mode
    mask = 0o002 if stat.S_ISDIR(status.st_mode) else change.umask
    owner = mode >> 6 & 7
    own, everybody = mode & ~0o077, owner * 0o011
    return next(changed for one in (mask, 0o022, 0o077) if (changed := own | everybody & ~one) != mode)


def _moved_times(status: os.stat_result, change: Change) -> tuple[int, int]:
    moved = moved_time(status.st_mtime_ns, change.mtime_shift)
    return moved, moved


def moved_time(nanoseconds: int, mtime_shift: int) -> int:
    """Return the time that a copy has of a file with this one."""
    shift = mtime_shift * 1_000_000_000
    return nanoseconds + (shift if nanoseconds + shift >= _EARLIEST else -shift)


def remove_tree(folder: str) -> None:
    """Remove `folder` and all its contents, even folders without permissions; never follow a symlink."""

    import shutil  # slow to import, and not needed to set up an environment

    def unlock_and_retry(function: Callable[..., object], path: str, _error: object) -> None:
        try:
            # What the folder itself is in belongs to others: it may be /tmp.
            if path != folder:
                os.chmod(os.path.dirname(path), 0o700)
            if not os.path.islink(path):
                os.chmod(path, 0o700)
            if function in (os.unlink, os.rmdir):
                function(path)
            else:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass

    if not os.path.lexists(folder):
        return
    for _ in range(3):
        _remove(folder, unlock_and_retry)
        if not os.path.lexists(folder):
            return


def _remove(folder: str, handler: Callable[..., object]) -> None:
    import shutil

    # onexc replaced onerror in Python 3.12; the handler does not use the argument in which they differ.
    if sys.version_info >= (3, 12):
        shutil.rmtree(folder, onexc=handler)
    else:
        shutil.rmtree(folder, onerror=handler)
