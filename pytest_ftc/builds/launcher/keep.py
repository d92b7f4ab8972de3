"""Keeping the tree, the home and the temporary folder of a build, copied before they disappear.

The tree is not trusted: links are copied as links and never followed, devices and sockets are omitted, holes are
preserved, and the copy ends before the disk is full.
"""

from __future__ import annotations

import errno
import os
import stat

from pytest_ftc.builds.launcher.trees import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_CHUNK = 1 << 20
_MOST_ENTRIES = 1_000_000
_LEAST_LEFT = 64 << 20
"""Bytes to keep free on the disk; on a large disk, a twentieth of it."""


class _RefusedError(Exception):
    """An entry cannot be kept; the message says why."""


class _FullError(Exception):
    """No further entry can be kept; the message says why."""


def keep_folders(spec: dict[str, Any], folder: int) -> list[str]:
    """Copy the tree, the home and the temporary folder of the build to the open `folder`.

    Returns what was omitted and why, in at most a few sentences.
    """
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fchdir(folder)
    # The machine's folders that are mounted again below the private temporary folders are not part of the build.
    copy = _Copy(_room(folder), frozenset(spec["visible"]))
    try:
        for name, source in (("tree", spec["build_path"]), ("home", spec["home"]), ("temp", spec["temp_dir"])):
            copy.folder(source, name)
    except _FullError as reason:
        copy.left_out.append(f"not all was kept: {reason}")
    except OSError as error:
        copy.left_out.append(f"not all was kept: {error.strerror}")
    finally:
        os.fchdir(here)
        os.close(here)
    return copy.left_out[:5] + ([f"and {len(copy.left_out) - 5} more were not kept"] if len(copy.left_out) > 5 else [])


def _room(folder: int) -> int:
    """Return the number of bytes that may be written."""
    space = os.fstatvfs(folder)
    free = space.f_bavail * space.f_frsize
    return max(0, free - max(_LEAST_LEFT, free // 20))


class _Copy:
    """A copy of folders, except those to `skip`, of at most `room` bytes."""

    def __init__(self, room: int, skip: frozenset[str] = frozenset()) -> None:
        self._room = room
        self._skip = skip
        self._entries = 0
        self.left_out: list[str] = []

    def folder(self, source: str, target: str) -> None:
        """Copy the folder `source` to the new folder `target`, level by level, because a tree may be deep."""
        made = []
        pending = [(source, target)]
        while pending:
            one, other = pending.pop()
            try:
                status = os.lstat(one)
                os.mkdir(other, 0o700)
                made.append((other, status))
                entries = os.listdir(one)
            except OSError as error:
                self.left_out.append(f"{one!r} was not kept: {error.strerror}")
                continue
            for name in entries:
                self._count()
                inner = os.path.join(one, name)
                if inner in self._skip:
                    continue
                try:
                    if self._copy(inner, os.path.join(other, name)):
                        pending.append((inner, os.path.join(other, name)))
                except (OSError, _RefusedError) as error:
                    self._end_if_full(error)
                    reason = getattr(error, "strerror", None) or error
                    self.left_out.append(f"{inner!r} was not kept: {reason}")
        for other, status in reversed(made):
            _take_over(other, status)

    def _count(self) -> None:
        self._entries += 1
        if self._entries > _MOST_ENTRIES:
            raise _FullError(f"there are more than {_MOST_ENTRIES} files")

    def _end_if_full(self, error: Exception) -> None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise _FullError(os.strerror(errno.ENOSPC))

    def _copy(self, source: str, target: str) -> bool:
        """Copy one entry, or return True for a folder."""
        status = os.lstat(source)
        if stat.S_ISDIR(status.st_mode):
            return True
        if stat.S_ISREG(status.st_mode):
            self._copy_file(source, target, status)
        elif stat.S_ISLNK(status.st_mode):
            os.symlink(os.readlink(source), target)
        elif stat.S_ISFIFO(status.st_mode):
            os.mkfifo(target, 0o600)
        else:
            raise _RefusedError("it is a socket or device file")
        return False

    def _copy_file(self, source: str, target: str, status: os.stat_result) -> None:
        if status.st_blocks * 512 > self._room:
            raise _FullError("the disk is nearly full")
        read = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                for start, end in _data(read, status.st_size):
                    self._copy_part(read, write, start, end)
                os.ftruncate(write, status.st_size)
            finally:
                os.close(write)
        finally:
            os.close(read)
        _take_over(target, status)

    def _copy_part(self, read: int, write: int, start: int, end: int) -> None:
        os.lseek(write, start, os.SEEK_SET)
        while start < end and (data := os.pread(read, min(_CHUNK, end - start), start)):
            self._room -= len(data)
            if self._room < 0:
                raise _FullError("the disk is nearly full")
            write_all(write, data)
            start += len(data)


def _data(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return the ranges of a file between its holes, see SEEK_DATA in lseek(2)."""
    parts, end = [], 0
    try:
        while end < size:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
            end = os.lseek(descriptor, start, os.SEEK_HOLE)
            parts.append((start, end))
    except (OSError, AttributeError):  # ENXIO: no more data
        return parts if end or not size else _all_or_nothing(descriptor, size)
    return parts


def _all_or_nothing(descriptor: int, size: int) -> list[tuple[int, int]]:
    """Return the whole file as one range, or nothing if it consists of one hole."""
    return [(0, size)] if os.fstat(descriptor).st_blocks else []


def _take_over(path: str, status: os.stat_result) -> None:
    """Set the times and permissions of `path` to those of the original, without setuid, setgid and sticky bits."""
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.chmod(path, stat.S_IMODE(status.st_mode) & 0o777)
