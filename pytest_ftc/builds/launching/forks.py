"""Launchers that are forked from one process, which has loaded the launcher: see `pytest_ftc.builds.launcher.serve`."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO

from pytest_ftc.builds.launcher import command_to_serve
from pytest_ftc.builds.launching.stopped import is_stopped

_PATIENCE = 20.0
"""Seconds to load the launcher, at most."""
_BETWEEN_LOOKS = 1.0
"""Seconds."""
_KILLED = -9
"""The exit status of a launcher of which nobody tells any more."""


class Forked:
    """A launcher, as `subprocess.Popen` has processes.  Its end may be awaited by several threads."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], told: int, server: subprocess.Popen[bytes]) -> None:
        """Lines about the launcher come from the pipe `told`, into which `server` writes them."""
        self.stdin, self.stdout = stdin, stdout
        self._server = server
        self._told = told
        self._text = b""
        self._lock = threading.Lock()
        self.returncode: int | None = None
        os.set_blocking(told, False)

    @property
    def pid(self) -> int:
        """The process, once it runs."""
        while self.returncode is None and b"\n" not in self._text:
            self._read()
        first = self._text.split(b"\n", 1)[0].split()
        if first[:1] != [b"pid"]:
            raise ProcessLookupError
        return int(first[1])

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
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)

    def close(self) -> None:
        """Close what it was given."""
        for file in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                file.close()

    def _read(self, seconds: float = _BETWEEN_LOOKS) -> None:
        """Read what is told within `seconds`.

        Without a PID namespace a build may stop the process that tells, which is killed then.
        """
        if self.returncode is not None:
            return
        poll = select.poll()
        poll.register(self._told, select.POLLIN)
        if not poll.poll(seconds * 1000):
            if is_stopped(self._server.pid):
                self._server.kill()
            return
        with self._lock, contextlib.suppress(BlockingIOError):
            if self.returncode is not None:
                return
            data = os.read(self._told, 4096)
            self._text += data
            words = self._text.split()
            if words[2:3] == [b"exit"] and self._text.endswith(b"\n"):
                self.returncode = int(words[3])
            elif not data:
                self.returncode = _KILLED

    def __del__(self) -> None:
        os.close(self._told)


class Forks:
    """A process that forks launchers."""

    def __init__(self) -> None:
        """Start it.  Raises OSError."""
        self._channel, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._is_ready = False
        self._lock = threading.Lock()
        with other:
            self._process = subprocess.Popen(
                command_to_serve(),
                stdin=other.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        atexit.register(self.close)

    def launch(self, folder: Path, spec: int, errors: int) -> Forked:
        """Start a launcher in `folder`, with a spec behind a descriptor, which writes to `errors`.  Raises OSError."""
        self._await_ready()
        (read, stdin), (stdout, write), (told, end) = (os.pipe() for _ in range(3))
        forked = Forked(os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb"), told, self._process)
        try:
            try:
                socket.send_fds(self._channel, [os.fsencode(folder)], [read, write, errors, spec, end])
            finally:
                for descriptor in (read, write, end):
                    os.close(descriptor)
            # Raises ProcessLookupError, an OSError, if it cannot be forked.
            _ = forked.pid
        except OSError:
            forked.close()
            raise
        return forked

    def _await_ready(self) -> None:
        with self._lock:
            if not self._is_ready:
                self._channel.settimeout(_PATIENCE)
                if not self._channel.recv(16):
                    raise OSError("the process that forks launchers has ended")
                self._channel.settimeout(None)
                self._is_ready = True

    def close(self) -> None:
        """Let it end.  Launchers that run go on."""
        self._channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


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
        # It was killed, perhaps; the next one has another.
        with _lock:
            if _shared is forks:
                _shared, _broken = None, _broken + 1
                forks.close()
        return None
