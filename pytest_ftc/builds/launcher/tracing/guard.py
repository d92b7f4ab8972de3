"""Keeping a build from changing the machine where neither capabilities nor read-only mounts do.

A read-only mount does not keep anybody from writing to a named pipe on it, see EROFS in open(2).

The settings in /proc/sys, and the files of a control group, ask who opens them and not what capabilities he has: the
root user of the machine may write them.  A build of a root session is that user, and may make namespaces in which it
mounts them anew.  The kernel itself makes sure that a new procfs is read-only, since all that the build sees are, see
`root`; here the flag is added to the call, so that programs which do not ask for it (bwrap, unshare) go on.  There are
no new cgroup namespaces, and so no mounts of control groups: the flag is taken out of the call.  Only registers are
changed, which no other thread can change back.  The flags of clone3(2) are in memory: who gets a cgroup namespace by
changing them meanwhile can mount nothing in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
from collections.abc import Callable

from pytest_ftc.builds.launcher.clocks.answers import read_flags
from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, folder_of, own_name, peek, read_name
from pytest_ftc.builds.launcher.tracing.seccomp import (
    Condition,
    Listener,
    Notification,
    Rule,
    compile_filter,
    install_filter,
)

Change = Callable[[Notification, int, int], None]
"""Have a call be made with another value of one argument, or fail where that is not possible."""

_CLONE_NEWCGROUP = 0x02000000
_MS_RDONLY, _MOUNT_ATTR_RDONLY = 1, 1
_NOT_NEW = 0x20 | 0x1000 | 0x2000 | 0x20000 | 0x40000 | 0x80000 | 0x100000
"""REMOUNT, BIND, MOVE, UNBINDABLE, PRIVATE, SLAVE and SHARED of mount(2): they mount no other file system."""
_WRITES, _IS_NEW = os.O_WRONLY | os.O_RDWR, os.O_EXCL
_FLAGS = {"open": 1, "openat": 2}
_NEW_CGROUPS = (Condition(0, "bit", (_CLONE_NEWCGROUP,)),)

_FOR_ALL = (
    *(
        Rule(call, (Condition(flags, "bit", (_WRITES,)), Condition(flags, "clear", (_IS_NEW,))))
        for call, flags in _FLAGS.items()
    ),
    Rule("creat"),
    Rule("openat2"),
)
_FOR_ROOT = (
    Rule("unshare", _NEW_CGROUPS),
    Rule("clone", _NEW_CGROUPS),
    Rule("clone3"),
    Rule("mount", (Condition(3, "clear", (_NOT_NEW,)),)),
    Rule("fsopen"),
    Rule("fsmount", (Condition(2, "clear", (_MOUNT_ATTR_RDONLY,)),)),
)


class Guard:
    """Decides on calls before anybody else; `as_root` is for a build whose user is root of the machine."""

    def __init__(self, *, as_root: bool, isolated: bool) -> None:
        self._as_root = as_root
        self.rules = (*(_FOR_ALL if isolated else ()), *(_FOR_ROOT if as_root else ()))
        self._opens_proc: set[int] = set()

    def decide(self, call: Notification, listener: Listener, change: Change) -> bool:
        """Return whether `call` has been decided; if not, it may be carried out."""
        # The thread may have died, or its arguments may be invalid: the kernel then reports that to it.
        with contextlib.suppress(OSError, struct.error):
            if self._as_root and self._refuses(call):
                # Programs fall back to clone(2), whose flags can be changed.
                listener.answer(call, error=errno.ENOSYS if call.call == "clone3" else errno.EPERM)
                return True
            if self._as_root and call.call in _CHANGES:
                return _CHANGES[call.call](self, call, change)
            if call.call in ("open", "creat", "openat", "openat2") and _writes_to_foreign_pipe(call):
                listener.answer(call, error=errno.EROFS)
                return True
        return False

    def _refuses(self, call: Notification) -> bool:
        if call.call == "clone3":
            return bool(read_flags(call) & _CLONE_NEWCGROUP)
        if call.call == "fsopen" or (call.call == "mount" and not call.arguments[3] & _NOT_NEW):
            try:
                return os.readlink(f"/proc/{call.thread}/ns/cgroup") != os.readlink("/proc/self/ns/cgroup")
            except OSError:
                return True  # it has died, or is one that this process may not look into
        return False

    def _leave_out_cgroups(self, call: Notification, change: Change) -> bool:
        if not call.arguments[0] & _CLONE_NEWCGROUP:
            return False
        change(call, 0, call.arguments[0] & ~_CLONE_NEWCGROUP)
        return True

    def _mount(self, call: Notification, change: Change) -> bool:
        flags = call.arguments[3]
        if flags & (_NOT_NEW | _MS_RDONLY) or not call.native or peek(call, call.arguments[2], 5) != b"proc\0":
            return False
        change(call, 3, flags | _MS_RDONLY)
        return True

    def _open_filesystem(self, call: Notification, change: Change) -> bool:
        del change
        if peek(call, call.arguments[0], 5) == b"proc\0":
            self._opens_proc.add(call.thread)
        else:
            self._opens_proc.discard(call.thread)
        return False

    def _mount_opened(self, call: Notification, change: Change) -> bool:
        attributes = call.arguments[2]
        if attributes & _MOUNT_ATTR_RDONLY or not call.native or call.thread not in self._opens_proc:
            return False
        change(call, 2, attributes | _MOUNT_ATTR_RDONLY)
        return True


_CHANGES: dict[str, Callable[[Guard, Notification, Change], bool]] = {
    "unshare": Guard._leave_out_cgroups,
    "clone": Guard._leave_out_cgroups,
    "mount": Guard._mount,
    "fsopen": Guard._open_filesystem,
    "fsmount": Guard._mount_opened,
}


def refuse_cgroups() -> None:
    """Let this process and its descendants enter no new cgroup namespace, where nobody can change their calls."""
    rules = [Rule(call, _NEW_CGROUPS, error=errno.EPERM) for call in ("unshare", "clone")]
    install_filter(compile_filter([*rules, Rule("clone3", error=errno.ENOSYS)]), 0)


def _writes_to_foreign_pipe(call: Notification) -> bool:
    """Return whether `call` opens a named pipe for writing that lies on a read-only mount, so outside the build."""
    folder, name, flags = _arguments(call)
    if not flags & _WRITES or flags & os.O_PATH:
        return False
    return is_foreign_pipe(_place(call, folder, name))


def is_foreign_pipe(path: str) -> bool:
    """Return whether a named pipe on a read-only mount is at `path`.  Raises OSError."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        return False
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _arguments(call: Notification) -> tuple[int, int, int]:
    first = call.arguments
    if call.call == "creat":
        return AT_FDCWD, first[0], os.O_WRONLY
    if call.call == "open":
        return AT_FDCWD, first[0], first[1]
    if call.call == "openat":
        return first[0], first[1], first[2]
    return first[0], first[1], struct.unpack("=Q", peek(call, first[2], 8))[0]


def _place(call: Notification, folder: int, name: int) -> str:
    """Return a path that a `call` names as one that leads this process to the same file, see proc_pid_root(5)."""
    path, thread = read_name(call, name), call.thread
    if not os.path.isabs(path):
        return f"{folder_of(thread, folder)}/{path}"
    return own_name(thread, path) or f"/proc/{thread}/root{path}"
