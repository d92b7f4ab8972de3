"""Distinguishing files whose content a build has written from files of which it only set the times.

Both change the modification time.  Before a call sets times, and whenever a file is opened for writing, the file still
has the time of its last write; any other time than the expected one means that it was written.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct

from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, resolve_name
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_AT_SYMLINK_NOFOLLOW = 0x100
_WRITING = os.O_WRONLY | os.O_RDWR
_MOST = 100_000
_AT = ("utimensat", "utimensat_time64", "futimesat")


class Rewrites(Watcher):
    """Follows modification times by inode number, which identifies a file in one build tree."""

    rules = tuple(map(Rule, ("utime", "utimes", *_AT)))

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        """The modification time that each file had when it was first noticed."""
        self._expected: dict[int, int | None] = {}
        """The time that it has until it is written; None if a call has just set it."""
        self._written: set[int] = set()
        self._made: set[str] = set()

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        # The thread may have died, or its arguments may be invalid: the kernel then reports that to it.
        with contextlib.suppress(OSError, struct.error):
            self.sets_times(_look_at(notification))
        listener.answer(notification, flags=CONTINUE)

    def sets_times(self, status: os.stat_result) -> None:
        """Note that the times of a file with this `status` are about to be set."""
        self._notice(status)
        self._expected[status.st_ino] = None

    def opened(self, path: str, flags: int, _thread: int = 0) -> None:
        """Note that `path` is about to be opened."""
        if not flags & (_WRITING | os.O_TRUNC | os.O_CREAT) or len(self._made) + len(self._first) > _MOST:
            return
        try:
            status = os.stat(path)
        except OSError:
            if flags & os.O_CREAT:
                self._made.add(os.path.realpath(path))
            return
        if not stat.S_ISREG(status.st_mode):
            return
        if flags & os.O_TRUNC:
            self._written.add(status.st_ino)
        self._notice(status)

    def _notice(self, status: os.stat_result) -> None:
        file, time = status.st_ino, status.st_mtime_ns
        self._first.setdefault(file, time)
        if self._expected.get(file, time) not in (None, time):
            self._written.add(file)
        self._expected[file] = time

    def made(self, path: str, status: os.stat_result) -> bool:
        """Return whether the file `path` was created under this name, or emptied and written anew."""
        return status.st_ino in self._written or os.path.realpath(path) in self._made

    def only_set_time(self, status: os.stat_result, before: int) -> bool:
        """Return whether the file had the modification time `before` and was never written to."""
        file, time = status.st_ino, status.st_mtime_ns
        return self._first.get(file) == before and self._expected[file] in (None, time) and file not in self._written


def _look_at(call: Notification) -> os.stat_result:
    first, second = call.arguments[:2]
    if call.call not in _AT:
        return os.stat(resolve_name(call, AT_FDCWD, first))
    if not second:  # futimens(3): the descriptor is the file
        return os.stat(f"/proc/{call.thread}/fd/{first & 0xFFFFFFFF}")
    follow = call.call == "futimesat" or not call.arguments[3] & _AT_SYMLINK_NOFOLLOW
    return os.stat(resolve_name(call, first, second), follow_symlinks=follow)
