"""Recording the programs of a build and the files they open; `peers` records their connections."""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Callable
from typing import Any

from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD, peek, resolve_name
from pytest_ftc.builds.launcher.tracing.outside import FILE, OutsideUses
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.unvaried import UnvariedFiles
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CREATING = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_MOST_ARGUMENTS = 128 * 1024
_MOST_ENTRIES = 200_000
_UNKNOWN = -1
_SEEDS = {"python": b"PYTHONHASHSEED=", "pypy": b"PYTHONHASHSEED=", "perl": b"PERL_HASH_SEED="}
_CALLS = (
    "open", "creat", "openat", "openat2", "rename", "renameat", "renameat2", "link", "linkat",
    "symlink", "symlinkat", "mkdir", "mkdirat", "sched_setaffinity", "mount", "fsopen",
)  # fmt: skip


class Recorder(Watcher):
    """Records programs, opened files and renamed files; each once for every program.

    Paths are absolute.  A file that does not exist when it is opened is not an input, and is omitted.  `log` is the
    descriptor of the build's log.  Files opened outside the build's own folders are passed to `outside`, even if they
    do not exist.
    """

    rules = tuple(map(Rule, _CALLS))

    def __init__(self, log: int, outside: OutsideUses, *, isolated: bool = True) -> None:
        self._outside = outside
        self._log = os.fstat(log).st_ino
        self._programs: list[dict[str, Any]] = []
        self._running: dict[int, int] = {}
        self._read: dict[tuple[int, str], None] = {}
        self._written: dict[tuple[int, str], None] = {}
        self._moved: list[tuple[int, str, str]] = []
        self._kinds: dict[str, tuple[str, bool]] = {}
        self._gaps: dict[str, None] = {}
        self._events = 0
        self.observers: list[Callable[[str, int, int], None]] = [outside.opened]
        self.unvaried = UnvariedFiles(isolated=isolated)

    def result(self) -> dict[str, Any]:
        """Return all that was recorded, as JSON values; programs are referred to by their index."""
        return {
            "programs": self._programs,
            "read": list(self._read),
            "written": list(self._written),
            "contents": [],
            "moved": self._moved,
            "gaps": list(self._gaps),
            "evaded": self.unvaried.find_evaded(self._outside.found),
            "outside": sorted(self._outside.found.items()),
            "outside_gap": self._outside.gap,
        }

    def saw_start(self, pid: int) -> None:
        parent = self._program(pid)
        described = _describe(pid)
        self._programs.append(
            {
                **described,
                "hash_seed": _hash_seed(pid, described["program"]),
                "parent": parent,
                "exit_code": None,
                "began": self._tick(),
                "ended": None,
                "helpers": 0,
            }
        )
        self._running[pid] = len(self._programs) - 1
        self.unvaried.saw_arguments(self._programs[-1]["argv"])
        if program := self._programs[-1]["program"]:
            self._outside.looked_up(program, FILE)  # of a script, the interpreter, which the kernel opens
            self.unvaried.saw_code(program, made=self._outside.is_own(program))
        for path in _inherited(pid, self._log):
            self._written[self._running[pid], path] = None

    def saw_fork(self, parent: int, child: int) -> None:
        self._running.setdefault(child, self._program(parent))

    def saw_end(self, pid: int, status: int) -> None:
        index = self._running.pop(pid, _UNKNOWN)
        if index == _UNKNOWN:
            return
        if self._programs[index]["pid"] == pid:
            self._programs[index].update(exit_code=os.waitstatus_to_exitcode(status), ended=self._tick())
        else:
            self._programs[index]["helpers"] += 1

    def _tick(self) -> int:
        self._events += 1
        return self._events

    def lost_sight(self, pid: int) -> None:
        name = os.path.basename(_describe(pid)["program"]) or f"process {pid}"
        self._gaps[f"{name} is traced by the build itself, so what it starts is not followed"] = None

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if not notification.native:
            name = os.path.basename(_describe(notification.thread)["program"]) or f"process {notification.thread}"
            self._gaps[f"{name} makes 32-bit calls, which are not followed"] = None
        elif len(self._read) + len(self._written) + len(self._moved) < _MOST_ENTRIES:
            # The thread may have died, or its arguments may be invalid; the kernel will report that.
            with contextlib.suppress(OSError, struct.error):
                _RECORD[notification.call](self, notification)
        else:
            self._outside.gap = f"only the first {_MOST_ENTRIES} uses of files were recorded"
            self._gaps[self._outside.gap] = None
        listener.answer(notification, flags=CONTINUE)

    def open_(self, call: Notification) -> None:
        self._open(call, AT_FDCWD, call.arguments[0], call.arguments[1])

    def create(self, call: Notification) -> None:
        self._open(call, AT_FDCWD, call.arguments[0], _CREATING)

    def open_at(self, call: Notification) -> None:
        self._open(call, call.arguments[0], call.arguments[1], call.arguments[2])

    def open_at_2(self, call: Notification) -> None:
        flags = struct.unpack("=Q", peek(call, call.arguments[2], 8))[0]
        self._open(call, call.arguments[0], call.arguments[1], flags)

    def make(self, call: Notification) -> None:
        self._make(call, AT_FDCWD, call.arguments[0])

    def make_at(self, call: Notification) -> None:
        self._make(call, call.arguments[0], call.arguments[1])

    def link(self, call: Notification) -> None:
        self._make(call, AT_FDCWD, call.arguments[1])

    def link_at(self, call: Notification) -> None:
        self._make(call, call.arguments[1], call.arguments[2])

    def move(self, call: Notification) -> None:
        self._move(call, (AT_FDCWD, call.arguments[0]), (AT_FDCWD, call.arguments[1]))

    def move_at(self, call: Notification) -> None:
        self._move(call, call.arguments[0:2], call.arguments[2:4])

    def choose_cpus(self, call: Notification) -> None:
        mask = peek(call, call.arguments[2], min(call.arguments[1], 1024))
        if int.from_bytes(mask, "little").bit_count() > 1:
            self.unvaried.saw_choice_of_cpus(self._path(call.thread))

    def mount(self, call: Notification) -> None:
        self._mount(call, call.arguments[2])

    def open_filesystem(self, call: Notification) -> None:
        self._mount(call, call.arguments[0])

    def _mount(self, call: Notification, kind: int) -> None:
        if kind and peek(call, kind, 5) == b"proc\0":
            self.unvaried.saw_other_proc(self._path(call.thread))

    def _path(self, thread: int) -> str:
        program = self._program(thread)
        return str(self._programs[program]["program"]) if program != _UNKNOWN else ""

    def _open(self, call: Notification, folder: int, name: int, flags: int) -> None:
        path = resolve_name(call, folder, name)
        program = self._program(call.thread)
        self.unvaried.saw(path, self._path(call.thread))
        for notice in self.observers:
            notice(path, flags, call.thread)
        if flags & _WRITING:
            self._written[program, _resolve_folder(path)] = None
        if not flags & _CREATING:
            real, is_input = self._look_at(path)
            if is_input:
                self._read[program, real] = None
                if ".so" in real:
                    self.unvaried.saw_code(real, made=self._outside.is_own(real))

    def _make(self, call: Notification, folder: int, name: int) -> None:
        self._written[self._program(call.thread), _resolve_folder(resolve_name(call, folder, name))] = None

    def _move(self, call: Notification, source: tuple[int, ...], target: tuple[int, ...]) -> None:
        names = resolve_name(call, *source), resolve_name(call, *target)
        self._moved.append((self._program(call.thread), *names))

    def _look_at(self, path: str) -> tuple[str, bool]:
        """Return the path with all symlinks resolved, and whether it can be read."""
        if path.startswith("/proc/") and not path.startswith("/proc/sys/kernel/random/"):
            return path, False
        if path not in self._kinds:
            real = os.path.realpath(path)
            try:
                mode = os.stat(real).st_mode
            except OSError:
                return path, False
            self._kinds[path] = real, stat.S_ISREG(mode) or stat.S_ISCHR(mode)
        return self._kinds[path]

    def program_of(self, thread: int) -> int:
        """Return the index of the program in `thread`."""
        return self._program(thread)

    def _program(self, thread: int) -> int:
        """Return the program in `thread`: the one that it executed, or else its parent's."""
        if thread not in self._running:
            leader, parent = _relatives(thread)
            ancestor = leader if leader != thread else parent
            self._running[thread] = self._program(ancestor) if ancestor > 1 else _UNKNOWN
        return self._running[thread]


_RECORD: dict[str, Callable[[Recorder, Notification], None]] = {
    "open": Recorder.open_,
    "creat": Recorder.create,
    "openat": Recorder.open_at,
    "openat2": Recorder.open_at_2,
    "rename": Recorder.move,
    "link": Recorder.move,
    "renameat": Recorder.move_at,
    "renameat2": Recorder.move_at,
    "linkat": Recorder.move_at,
    "symlink": Recorder.link,
    "symlinkat": Recorder.link_at,
    "mkdir": Recorder.make,
    "mkdirat": Recorder.make_at,
    "sched_setaffinity": Recorder.choose_cpus,
    "mount": Recorder.mount,
    "fsopen": Recorder.open_filesystem,
}


def _describe(pid: int) -> dict[str, Any]:
    """Return the command line, the folder and the program of a process; empty if it has ended."""
    found: dict[str, Any] = {"pid": pid, "argv": [], "folder": "", "program": ""}
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read(_MOST_ARGUMENTS).split(b"\0")[:-1]
        found["argv"] = [os.fsdecode(word) for word in words]
        found["folder"] = os.readlink(f"/proc/{pid}/cwd")
        found["program"] = os.readlink(f"/proc/{pid}/exe")
    return found


def _hash_seed(pid: int, program: str) -> str | None:
    """Return the hash seed in the environment of an interpreter that takes one; empty if there is none."""
    name = os.path.basename(program)
    variable = next((one for start, one in _SEEDS.items() if name.startswith(start)), None)
    if variable is None:
        return None
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        for entry in file.read(_MOST_ARGUMENTS).split(b"\0"):
            if entry.startswith(variable):
                return os.fsdecode(entry[len(variable) :])
    return ""


def _inherited(pid: int, log: int) -> list[str]:
    """Return the files that the program starting in `pid` has open for writing: a shell's ``>``, see proc_pid_fd(5)."""
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            link = f"/proc/{pid}/fd/{name}"
            path = os.readlink(link)
            # The link has write permission for its owner if the file is open for writing.
            writable = os.lstat(link).st_mode & stat.S_IWUSR
            if writable and path.startswith("/") and not path.startswith("/dev/") and os.stat(link).st_ino != log:
                found.append(path)
    return found


def _relatives(thread: int) -> tuple[int, int]:
    """Return the process of `thread` and its parent process, see Tgid and PPid in proc_pid_status(5)."""
    leader = parent = 0
    with contextlib.suppress(OSError), open(f"/proc/{thread}/status") as status:
        for line in status:
            if line.startswith("Tgid:"):
                leader = int(line.split()[1])
            elif line.startswith("PPid:"):
                parent = int(line.split()[1])
    return leader, parent


def _resolve_folder(path: str) -> str:
    """Return `path` with the symlinks of its folder resolved, but not that of its last part."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
