"""Contacts with processes of the machine other than by sockets: named pipes, devices and file locks.

A process outside can answer through them, and no variation affects it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import Any

from pytest_ftc.builds.launcher.tracing.contacts.peers import Peers, name_program, own_folders
from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, resolve_name
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

PIPE, DEVICE, LOCK = "pipe:", "device:", "lock:"
"""Prefixes of the path in the address of such a contact."""

_MOST = 1000
_GET_AND_SET_LOCK = (5, 6, 7, 12, 13, 14, 36, 37, 38)
"""F_GETLK, F_SETLK and F_SETLKW, the same with 64-bit offsets in 32-bit programs, and as F_OFD_*, see fcntl(2)."""
_OF_PROCESSES = ("/proc/", "/dev/fd/", "/dev/std", "/dev/pts/")
_USUAL = frozenset(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx", "console"))
_DATABASES = (
    "/var/lib/dpkg/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/var/lib/apt/", "/var/lib/pacman/", "/lib/apk/",
    "/var/cache/fontconfig/", "/etc/",
)  # fmt: skip
"""Files that programs lock to read a consistent state: packages, fonts and settings."""


class Meetings(Watcher):
    """Adds files that are opened or locked outside the build's own folders to the `peers`."""

    rules = (
        Rule("flock"),
        Rule("fcntl", (Condition(1, "in", _GET_AND_SET_LOCK),)),
        Rule("fcntl64", (Condition(1, "in", _GET_AND_SET_LOCK),)),
        Rule("mknod", (Condition(1, "bit", (stat.S_IFIFO,)),)),
        Rule("mknodat", (Condition(2, "bit", (stat.S_IFIFO,)),)),
    )

    def __init__(self, spec: dict[str, Any], peers: Peers) -> None:
        self._private = own_folders(spec) or tuple(
            spec[name].rstrip("/") + "/" for name in ("build_path", "home", "temp_dir")
        )
        self._own: set[str] = set()
        """Pipes that the build has created elsewhere."""
        self._outside = peers.outside

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        # The thread may have died, or its arguments may be invalid; the kernel will report that.
        with contextlib.suppress(OSError):
            thread, arguments = notification.thread, notification.arguments
            if notification.call == "mknod":
                self._own.add(os.path.realpath(resolve_name(notification, AT_FDCWD, arguments[0])))
            elif notification.call == "mknodat":
                self._own.add(os.path.realpath(resolve_name(notification, arguments[0], arguments[1])))
            else:
                self._locks(thread, os.readlink(f"/proc/{thread}/fd/{arguments[0] & 0xFFFFFFFF}"))
        listener.answer(notification, flags=CONTINUE)

    def opened(self, path: str, flags: int, thread: int) -> None:
        """Record that `thread` is about to open `path`."""
        if flags & os.O_PATH or path.startswith((*_OF_PROCESSES, *self._private)):
            return
        try:
            mode = os.stat(path).st_mode
        except OSError:
            return
        kind = PIPE if stat.S_ISFIFO(mode) else DEVICE if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else ""
        real = os.path.realpath(path) if kind else ""
        if kind and real not in _USUAL and not self._is_own(real):
            self._note(thread, kind + real)

    def _locks(self, thread: int, path: str) -> None:
        if path.startswith("/") and not path.startswith(_DATABASES) and not self._is_own(path):
            self._note(thread, LOCK + path)

    def _is_own(self, path: str) -> bool:
        return path in self._own or path.startswith((*_OF_PROCESSES, *self._private, "/ftc-"))

    def _note(self, thread: int, address: str) -> None:
        if len(self._outside) < _MOST:
            self._outside[name_program(thread), address] = None
