"""Recording which bytes the programs of a build pass on: what they write, to files and pipes, and who reads it."""

from __future__ import annotations

import contextlib
import os
import stat
import struct

from pytest_ftc.builds.launcher.tracing.memory import executable_name, peek
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_MOST_CONTENT = 512 * 1024
"""Most bytes to keep of one program's output to one file."""
_MOST = 24 << 20
"""Most bytes to keep of all."""
_MOST_START, _MOST_STARTS = 4096, 8 << 20
"""After these, most bytes to keep of one output, and of all: what tools tell a build late is short."""
_MOST_VECTORS = 1024
_MOST_ASKED = 256
"""Most threads to ask whether they hold a pipe."""
_MOST_SCRIPT, _MOST_SCRIPTS = 128 * 1024, 4 << 20
"""Most bytes to keep of one script, and of all."""
_RUNNERS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "busybox", "make", "gmake", "bmake", "ninja", "just"})
"""Programs whose input may be commands."""
_SYSTEM = ("/usr/", "/lib", "/etc/", "/proc/", "/sys/", "/dev/", "/bin/", "/sbin/")
_PIPE = "pipe:["
_GONE = " (deleted)"
_COPIES = {"copy_file_range": (0, 2), "sendfile": (1, 0), "splice": (0, 2), "tee": (0, 1)}
"""Calls that copy without passing through memory, and which of their arguments are the source and the target."""


class Flows(Watcher):
    """Records the start of each program's output to each file or pipe, copies, and what is inherited for reading.

    A pipe has the name that proc_pid_fd(5) shows: ``pipe:[123]``.  What goes to the build's log, whose descriptor is
    `log`, is passed on to nobody.  `program_of` returns the program in a thread.
    """

    rules = tuple(map(Rule, ("write", "pwrite64", "writev", "pwritev", *_COPIES)))

    def __init__(self, log: int, program_of: Callable[[int], int]) -> None:
        self._program_of = program_of
        self._log = os.fstat(log).st_ino
        self._logs: set[str] = set()
        self._contents: dict[tuple[int, str], bytes] = {}
        self._kept = 0
        self._copied: dict[tuple[int, str, str], None] = {}
        self._taken: dict[tuple[int, str], None] = {}
        self._threads: dict[int, None] = {}
        self._scripts: dict[str, str] = {}
        self._read = 0

    def result(self) -> dict[str, Any]:
        """Return all that was recorded, as JSON values."""
        return {
            "contents": [(*key, data.decode("latin-1")) for key, data in self._contents.items()],
            "copied": list(self._copied),
            "taken": list(self._taken),
            "scripts": list(self._scripts.items()),
        }

    def saw_start(self, pid: int) -> None:
        self._threads[pid] = None
        self._notice_log(pid)
        self._takes(pid, _open_for_reading(pid))

    def _notice_log(self, pid: int) -> None:
        with contextlib.suppress(OSError):
            for descriptor in (1, 2):
                link = f"/proc/{pid}/fd/{descriptor}"
                if os.stat(link).st_ino == self._log:
                    self._logs.add(os.readlink(link))

    def saw_fork(self, parent: int, child: int) -> None:
        self._threads[child] = None

    def saw_end(self, pid: int, status: int) -> None:
        self._threads.pop(pid, None)

    def opened(self, path: str, flags: int, thread: int) -> None:
        """Note that `path` is about to be opened: what exists and is opened to be changed may also be read."""
        writes_only = flags & os.O_ACCMODE == os.O_WRONLY
        if writes_only or flags & os.O_TRUNC:
            return
        with contextlib.suppress(OSError):
            self._read_script(path, thread)
            mode = os.stat(path).st_mode
            if stat.S_ISFIFO(mode) or (stat.S_ISREG(mode) and flags & os.O_ACCMODE == os.O_RDWR):
                self._takes(thread, [os.path.realpath(path)])

    def _read_script(self, path: str, thread: int) -> None:
        if path.startswith(_SYSTEM) or self._read >= _MOST_SCRIPTS or executable_name(thread) not in _RUNNERS:
            return
        real = os.path.realpath(path)
        if real not in self._scripts and stat.S_ISREG(os.stat(real).st_mode):
            with open(real, "rb", buffering=0) as file:
                text = file.read(_MOST_SCRIPT)
            self._read += len(text)
            self._scripts[real] = text.decode("utf-8", "surrogateescape")

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        # The thread may have died, or its arguments may be invalid; the kernel will report that.
        with contextlib.suppress(OSError, struct.error):
            if notification.native:
                self._record(notification)
        listener.answer(notification, flags=CONTINUE)

    def _record(self, call: Notification) -> None:
        if call.call in _COPIES:
            source, target = (_name(call.thread, call.arguments[index]) for index in _COPIES[call.call])
            if source and target:
                self._copied[self._program_of(call.thread), source, target] = None
            return
        target = _name(call.thread, call.arguments[0])
        if not target or target in self._logs:
            return
        if "v" in call.call:
            vectors = peek(call, call.arguments[1], 16 * min(call.arguments[2], _MOST_VECTORS))
            for address, size in struct.iter_unpack("=QQ", vectors):
                self._keep(call, target, address, size)
        else:
            self._keep(call, target, call.arguments[1], call.arguments[2])

    def _keep(self, call: Notification, target: str, address: int, size: int) -> None:
        key = self._program_of(call.thread), target
        if key not in self._contents and target.startswith(_PIPE):
            self._find_readers(target)
        kept = self._contents.get(key, b"")
        start = min(_MOST_START - len(kept), _MOST + _MOST_STARTS - self._kept)
        room = min(_MOST_CONTENT - len(kept), max(_MOST - self._kept, start))
        data = peek(call, address, min(size, room)) if room > 0 else b""
        self._contents[key] = kept + data
        self._kept += len(data)

    def _find_readers(self, pipe: str) -> None:
        """Note who holds the other end of a pipe now: a shell reads what it substitutes without executing a program."""
        for thread in list(self._threads)[-_MOST_ASKED:]:
            if pipe in _open_for_reading(thread):
                self._takes(thread, [pipe])

    def _takes(self, thread: int, names: Iterable[str]) -> None:
        program = self._program_of(thread)
        self._taken.update(dict.fromkeys((program, name) for name in names if name not in self._logs))


def _name(thread: int, descriptor: int) -> str:
    """Return the file or pipe behind a descriptor; empty for a device or a socket."""
    return _shown(os.readlink(f"/proc/{thread}/fd/{descriptor & 0xFFFFFFFF}"))


def _shown(link: str) -> str:
    is_known = link.startswith(_PIPE) or (link.startswith("/") and not link.startswith("/dev/"))
    return link.removesuffix(_GONE) if is_known else ""


def _open_for_reading(thread: int) -> Iterator[str]:
    """Yield the files and pipes that `thread` has open for reading, see proc_pid_fd(5)."""
    with contextlib.suppress(OSError):
        for descriptor in os.listdir(f"/proc/{thread}/fd"):
            with contextlib.suppress(OSError):
                link = f"/proc/{thread}/fd/{descriptor}"
                name = _shown(os.readlink(link))
                # The link has read permission for its owner if the file is open for reading.
                if name and os.lstat(link).st_mode & stat.S_IRUSR:
                    yield name
