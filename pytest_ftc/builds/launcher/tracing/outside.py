"""Recording the files that a build uses outside its own folders: files read, folders listed, and failed lookups.

A cached verdict is valid only while all of these are unchanged, including the absence of files.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Iterator
from typing import Any

from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, resolve_name
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

FILE, FOLDER, LOOKED_AT, ABSENT = "file", "folder", "looked at", "absent"
"""Kinds of use: a file read, a folder listed, a path examined without opening it, a path not found."""

_MOST = 20_000
"""Most paths to record."""
_MOST_LOOKUPS = 100_000
"""Most calls to record that only look something up; each costs about 0.05 ms."""
_VIRTUAL = ("/dev", "/proc", "/sys")
_PRIVATE = ("/tmp", "/var/tmp", "/dev/shm")
# With AT_EMPTY_PATH, newfstatat(2) and statx(2) examine an open file.  The rules exclude that in all forms used by C
# libraries.
_BY_NAME = (0, 0x100, 0x800, 0x900)
_SYNCHRONISED = tuple(flags | how for how in (0, 0x2000, 0x4000) for flags in _BY_NAME)
_AT = ("newfstatat", "statx", "faccessat", "faccessat2", "readlinkat", "execveat")
"""Calls whose first argument is a folder's descriptor, and the second a name."""
_CALLS = ("stat", "lstat", "access", "readlink", "execve", "chdir")
_EXECUTING = ("execve", "execveat")


class OutsideUses:
    """Uses of files outside the build's folders in `spec`, by absolute path; links outside are not resolved."""

    def __init__(self, spec: dict[str, Any]) -> None:
        isolated = spec["isolation"] != "none"
        own = [spec["build_path"], spec["home"], spec["temp_dir"], *(_PRIVATE if isolated else ())]
        own += filter(None, (spec["work"], spec["locales"]))  # they end with the session
        # What the launcher makes for builds alone has such a name.
        self._own = (*(f"{folder}/" for folder in (*own, *_VIRTUAL)), "/ftc-")
        # Examined by realpath(3) on the way to the build; the last of them end with the session.
        self._above = frozenset(above for folder in own for above in _folders_above(folder))
        self._visible = tuple(f"{folder}/" for folder in spec["visible"])
        self._git = f"{spec['build_path']}/.git", spec["git_dir"] or ""
        self._folders: dict[str, str] = {}
        self.found: dict[str, str] = {}
        """Kinds of use, by path."""
        self.gap = ""
        """Why `found` may be incomplete."""

    def opened(self, path: str, flags: int, _thread: int = 0) -> None:
        """Record that `path` is opened."""
        if flags & os.O_PATH:
            self.looked_up(path)
        elif not flags & (os.O_CREAT | os.O_WRONLY):
            self._note(path, FILE)

    def looked_up(self, path: str, what: str = LOOKED_AT) -> None:
        """Record that `path` is examined; or executed, depending on `what`."""
        self._note(path, what)

    def _note(self, path: str, what: str) -> None:
        seen, path = path, self._place(path)
        if what == LOOKED_AT and path in self._above:
            return
        if not path or self.found.get(path) in (what, FILE, FOLDER):
            return
        if len(self.found) >= _MOST:
            self.gap = f"only the first {_MOST} files that the build looked for were recorded"
            return
        try:
            mode = os.stat(seen).st_mode
        except OSError:
            self.found[path] = ABSENT
            return
        if what == FILE and stat.S_ISDIR(mode):
            what = FOLDER
        self.found[path] = what if what == LOOKED_AT or stat.S_ISREG(mode) or stat.S_ISDIR(mode) else LOOKED_AT

    def _place(self, path: str) -> str:
        """Return `path` as seen outside the build; empty if it is in one of the build's own folders."""
        git, git_dir = self._git
        if git_dir and (path == git or path.startswith(f"{git}/")):
            return git_dir + path[len(git) :]
        if not self.is_own(path):
            return path
        # A link in the build's own folders may point out of them.
        folder, _, name = path.rpartition("/")
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        real = f"{self._folders[folder]}/{name}"
        if os.path.islink(real):
            real = os.path.realpath(real)
        return "" if self.is_own(real) else real

    def is_own(self, path: str) -> bool:
        """Return whether `path` is in one of the build's own folders."""
        path = f"{path}/"
        return path == "//" or (path.startswith(self._own) and not path.startswith(self._visible))


def _folders_above(path: str) -> Iterator[str]:
    """Yield the folders that lead to `path`."""
    while (above := path.rpartition("/")[0]) and above != path:
        yield (path := above)


class LookupWatcher(Watcher):
    """Records lookups without opening in `uses`."""

    def __init__(self, uses: OutsideUses) -> None:
        self._uses = uses
        self._count = 0
        conditions = {
            "newfstatat": (Condition(3, "in", _BY_NAME),),
            "statx": (Condition(2, "in", _SYNCHRONISED),),
        }
        self.rules = tuple(Rule(call, conditions.get(call, ())) for call in (*_CALLS, *_AT))

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        self._count += 1
        if self._count <= _MOST_LOOKUPS:
            # The thread may have died, or its arguments may be invalid; the kernel will report that.
            with contextlib.suppress(OSError, struct.error):
                self._look(notification)
        else:
            self._uses.gap = f"only the first {_MOST_LOOKUPS} lookups of files were recorded"
        listener.answer(notification, flags=CONTINUE)

    def _look(self, call: Notification) -> None:
        if call.call in _AT:
            path = resolve_name(call, call.arguments[0], call.arguments[1])
        else:
            path = resolve_name(call, AT_FDCWD, call.arguments[0])
        self._uses.looked_up(path, FILE if call.call in _EXECUTING else LOOKED_AT)
