"""Launchers that are forked from one process, which has loaded the launcher: see `pytest_ftc.builds.launcher.serve`."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from pytest_ftc.builds import launcher
from pytest_ftc.builds.launcher import command_to_serve
from pytest_ftc.builds.launching.stopped import is_stopped

_PATIENCE = 20.0
"""Seconds to load the launcher, at most."""
_BETWEEN_LOOKS = 1.0
"""Seconds."""
_KILLED = -9
"""The exit status of a launcher of which nobody tells any more."""


Pipes = tuple[int, int, int]
"""To the standard input of a launcher, from its standard output, and from who tells of it."""


class Forked:
    """A launcher, as `subprocess.Popen` has processes.  Its end may be awaited by several threads."""

    def __init__(self, pipes: Pipes, watch: Callable[[], None]) -> None:
        """`watch` ends who writes to the last of its `pipes`, if that is stopped."""
        stdin, stdout, told = pipes
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self._watch = watch
        self._told = told
        self._text = b""
        self._lock = threading.Lock()
        self.returncode: int | None = None
        self.pid = 0
        """The process, once it runs."""
        os.set_blocking(told, False)

    def await_pid(self) -> None:
        """Wait until it runs.  Raises ProcessLookupError if it never does."""
        while self.returncode is None and not self.pid:
            self._read()
        if not self.pid:
            raise ProcessLookupError

    def poll(self) -> int | None:
        """Return the exit status; None if it runs."""
        self._read(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status at its end.  Raises subprocess.TimeoutExpired after `timeout` seconds."""
        end = math.inf if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = end - time.monotonic()
            if left < 0:
                raise subprocess.TimeoutExpired("launcher", timeout or 0.0)
            self._read(min(left, _BETWEEN_LOOKS))
        return self.returncode

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self.poll() is None:
            self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close what it was given."""
        for file in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                file.close()

    def _read(self, seconds: float = _BETWEEN_LOOKS) -> None:
        """Read what is told within `seconds`."""
        if self.returncode is not None:
            return
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        if not poll.poll(seconds * 1000):
            self._watch()
            return
        with self._lock, contextlib.suppress(BlockingIOError):
            if self.returncode is not None:
                return
            data = os.read(self._told, 4096)
            self._text += data
            told = dict(line.split() for line in self._text.split(b"\n")[:-1])
            self.pid = int(told.get(b"pid", 0))
            if b"exit" in told:
                self.returncode = int(told[b"exit"])
            elif not data:
                self._abandon()

    def _abandon(self) -> None:
        """End the launcher, of which nobody tells any more, so that nothing of it is left when others think so."""
        self.close()
        end = time.monotonic() + _PATIENCE
        while self.pid and self._runs() and time.monotonic() < end:
            self._kill()
            time.sleep(0.01)
        self.returncode = _KILLED

    def _runs(self) -> bool:
        """Return whether the process is still a launcher, and no other one that has got its number since."""
        with contextlib.suppress(OSError):
            return launcher.__name__.encode() in Path(f"/proc/{self.pid}/cmdline").read_bytes()
        return False

    def __del__(self) -> None:
        os.close(self._told)


class Forks:
    """A process that forks launchers."""

    def __init__(self) -> None:
        """Start it.  Raises OSError."""
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = 0
        self._lock = threading.Lock()
        with other:
            subprocess.run(
                command_to_serve(),
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
                check=False,
            )
        atexit.register(self.close)

    def launch(self, folder: Path, spec: int, errors: int) -> Forked:
        """Start a launcher in `folder`, with a spec behind a descriptor, which writes to `errors`.  Raises OSError."""
        self._await_ready()
        with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
            (read, stdin), (stdout, write), (told, end) = (
                _pipe(theirs, ours, back=back) for back in (False, True, True)
            )
            socket.send_fds(self._channel, [os.fsencode(folder)], [read, write, errors, spec, end])
            ours.pop_all()
        forked = Forked((stdin, stdout, told), self.end_if_stopped)
        try:
            forked.await_pid()
        except ProcessLookupError:
            forked.close()
            raise
        return forked

    @property
    def has_ended(self) -> bool:
        """Whether it can fork no more."""
        poll = select.poll()
        with contextlib.suppress(ValueError):
            poll.register(self._channel, 0)
            return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
        return True

    def end_if_stopped(self) -> None:
        """Kill it if a signal has stopped it, as a build may without a PID namespace."""
        if self._pid and not self.has_ended and is_stopped(self._pid):
            os.kill(self._pid, signal.SIGKILL)

    def _await_ready(self) -> None:
        with self._lock:
            if self._pid:
                return
            self._channel.settimeout(_PATIENCE)
            with contextlib.suppress(TimeoutError):
                self._pid = int(self._channel.recv(16) or 0)
            self._channel.settimeout(None)
            if not self._pid:
                self.close()
                raise OSError("the process that forks launchers has ended")

    def close(self) -> None:
        """Let it end.  Launchers that run go on."""
        self.end_if_stopped()
        self._channel.close()


def _pipe(theirs: contextlib.ExitStack, ours: contextlib.ExitStack, *, back: bool) -> tuple[int, int]:
    """Return the ends of a new pipe, which these close: `theirs` is that to write to if it leads `back`."""
    read, write = os.pipe()
    ours.callback(os.close, read if back else write)
    theirs.callback(os.close, write if back else read)
    return read, write


_shared: Forks | None = None
_broken = 0
_MOST_BROKEN = 3
"""After so many that have ended, or cannot start, there is no other one."""
_lock = threading.Lock()


def prepare() -> None:
    """Start the process that forks the launchers of this program, unless it runs: it loads while others do so too."""
    global _shared
    with _lock:
        if _shared is None and sys.platform == "linux" and _broken < _MOST_BROKEN:
            with contextlib.suppress(OSError):
                _shared = Forks()


def launch(folder: Path, spec: int, errors: int) -> Forked | None:
    """Start a launcher as `Forks.launch` does; None if it cannot be forked."""
    global _shared, _broken
    prepare()
    forks = _shared
    if forks is None:
        return None
    try:
        return forks.launch(folder, spec, errors)
    except OSError:
        # Perhaps it was killed, and the next one has another; or there are too many processes or descriptors.
        with _lock:
            if _shared is forks and forks.has_ended:
                _shared, _broken = None, _broken + 1
        return None
