"""The times of files, moved with the clock: a file made in the build is as old as the build's clock says.

The kernel takes them from the real clock.  A call that asks for the status of a file is looked into here first.  If the
file is one of the build, the answer is given with moved times; otherwise the kernel carries out the call.  A time that
a program has set (``touch -d``, ``cp -p``) lies outside the real time of the build, and is left as it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import time
from typing import NamedTuple

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.clocks import file_places
from pytest_ftc.builds.launcher.clocks.file_places import Named
from pytest_ftc.builds.launcher.clocks.shown import BILLION, Shown
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, executable_name, peek, write_answer
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_NOFOLLOW, _EMPTY_PATH = 0x100, 0x1000
_LONGEST = 4096
_ALL = 0xFFF
"""STATX_BASIC_STATS and STATX_BTIME, see statx(2)."""
_NEWNS, _NEWUSER = 0x00020000, 0x10000000


class _Form(NamedTuple):
    """Where the arguments of a call are; -1 for what it does not have."""

    folder: int
    path: int
    buffer: int
    flags: int = -1
    follow: bool = True


_FORMS = {
    "stat": _Form(-1, 0, 1), "lstat": _Form(-1, 0, 1, follow=False), "fstat": _Form(0, -1, 1),
    "newfstatat": _Form(0, 1, 2, 3), "statx": _Form(0, 1, 4, 2), "oldstat": _Form(-1, 0, 1),
    "oldlstat": _Form(-1, 0, 1, follow=False), "oldfstat": _Form(0, -1, 1), "stat64": _Form(-1, 0, 1),
    "lstat64": _Form(-1, 0, 1, follow=False), "fstat64": _Form(0, -1, 1), "fstatat64": _Form(0, 1, 2, 3),
}  # fmt: skip
_ELSEWHERE = ("chroot", "pivot_root", "setns", "unshare")


class _Layout(NamedTuple):
    """A structure: its size, and the places of the ids, of the time when the content changed, and of other times."""

    size: int
    ids: tuple[int, int]
    modified: int
    others: tuple[int, ...]


_STATX = _Layout(256, (20, 24), 112, (64, 80, 96))  # struct statx, see statx(2)
_STAT = {"x86_64": _Layout(144, (28, 32), 88, (72, 104)), "aarch64": _Layout(128, (24, 28), 88, (72, 104))}


class FileTimes(Watcher):
    """Moves the times of files that were made or changed since `began`, in nanoseconds since 1970, to those of `clock`.

    Times of access and of change of the inode, which no program can set, count from `prepared` on, when the sources
    were copied.  `user` is whether the build has no privileges of root over files.
    """

    def __init__(self, clock: Shown, *, began: int, prepared: int, user: bool) -> None:
        self._clock = clock
        self._began = began
        self._prepared = min(began, prepared)
        self._user = user
        self._elsewhere = False
        self.unreached: dict[str, str] = {}
        """Programs that may have seen the real times of files, with the reason."""
        moving = {"unshare": (Condition(0, "bit", (_NEWNS | _NEWUSER,)),)}
        self.rules = tuple(Rule(call, moving.get(call, ())) for call in (*_FORMS, *_ELSEWHERE))

    def saw_fork(self, parent: int, child: int) -> None:
        if not self._elsewhere:
            with contextlib.suppress(OSError):
                self._elsewhere = file_places.is_in_other_namespaces(child)

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if notification.call in _ELSEWHERE:
            self._elsewhere = True
        else:
            with contextlib.suppress(OSError, struct.error):
                status = self._ask(notification)
                if status:
                    write_answer(notification, listener, 0, [status])
                    return
        listener.answer(notification, flags=CONTINUE)

    def _ask(self, call: Notification) -> tuple[int, bytes] | None:
        """Return where an answer with moved times belongs, and the answer; None if the kernel may give it."""
        form = _FORMS[call.call]
        flags = call.arguments[form.flags] if form.flags >= 0 else 0
        address = call.arguments[form.path] if form.path >= 0 else 0
        path = peek(call, address, _LONGEST).partition(b"\0")[0] if address else b""
        if form.path >= 0 and not path and not flags & _EMPTY_PATH:
            return None
        folder = call.arguments[form.folder] if form.folder >= 0 else AT_FDCWD
        named = Named(call.thread, folder, path, follow=form.follow and not flags & _NOFOLLOW)
        if not self._elsewhere and not self._is_new(named.look()):
            return None
        try:
            with file_places.rights_of_a_user() if self._user else contextlib.nullcontext():
                descriptor = named.open()
        except OSError as error:
            if error.errno == errno.ELOOP and self._is_new(named.look()):
                self._miss(call.thread, "asks for the time of a file by a link into /proc")
            raise
        try:
            if not self._is_new(os.stat(descriptor)):
                return None
            if not call.native and call.call != "statx":
                self._miss(call.thread, "asks for the time of a file by a 32-bit call")
                return None
            return call.arguments[form.buffer], self._read(call, descriptor, flags)
        finally:
            os.close(descriptor)

    def _is_new(self, status: os.stat_result) -> bool:
        return max(status.st_ctime_ns, status.st_atime_ns, status.st_mtime_ns) >= self._prepared

    def _miss(self, thread: int, reason: str) -> None:
        self.unreached.setdefault(executable_name(thread), reason)

    def _read(self, call: Notification, descriptor: int, flags: int) -> bytes:
        """Return the structure that the kernel gives for the file, with moved times."""
        layout = _STATX if call.call == "statx" else _STAT[os.uname().machine]
        buffer = ctypes.create_string_buffer(layout.size)
        if call.call == "statx":
            _read_statx(descriptor, b"", flags | _EMPTY_PATH, call.arguments[3], buffer)
        else:
            number = this_processor().calls["newfstatat"]
            kernel.system_call(number, descriptor, b"", ctypes.byref(buffer), _EMPTY_PATH, what="newfstatat")
        if self._elsewhere:
            for kind, place in zip(("uid", "gid"), layout.ids, strict=True):
                (number,) = struct.unpack_from("=I", buffer, place)
                struct.pack_into("=I", buffer, place, file_places.translate_id(call.thread, kind, number))
        now = time.time_ns()
        for place in (layout.modified, *layout.others):
            seconds, rest = struct.unpack_from("=qI", buffer, place)
            since = self._began if place == layout.modified else self._prepared
            if since <= seconds * BILLION + rest <= now:
                struct.pack_into("=qI", buffer, place, *divmod(self._clock.show(seconds * BILLION + rest), BILLION))
        return buffer.raw


def _read_statx(folder: int, path: bytes, flags: int, wanted: int, buffer: ctypes.Array[ctypes.c_char]) -> None:
    number = this_processor().calls["statx"]
    kernel.system_call(number, folder, path, flags, wanted, ctypes.byref(buffer), what="statx")


def born(path: str) -> int:
    """Return when the file `path` was made, in nanoseconds since 1970.  Raises OSError."""
    buffer = ctypes.create_string_buffer(_STATX.size)
    _read_statx(AT_FDCWD, os.fsencode(path), 0, _ALL, buffer)
    # Where the file system does not keep the time of birth, it is 0: then the last change of the inode.
    times = [struct.unpack_from("=qI", buffer, place) for place in (80, 96)]
    return int(next((seconds * BILLION + rest for seconds, rest in times if seconds), 0))
