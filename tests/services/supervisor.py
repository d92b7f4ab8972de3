"""Runs servers for a test, and ends them with whatever they started.

As a program it is the parent that processes get whose own parent was killed, so that none of them is lost: a server
that is killed leaves its builds behind.  It reads commands as lines of JSON, and ends all at the end of its input, also
when the test itself is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_PR_SET_CHILD_SUBREAPER = 36


class Supervisor:
    """Starts programs, and knows all processes that come from them.  Use as a context manager."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", f"import runpy; runpy.run_path({__file__!r}, run_name='__main__')"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, command: Sequence[object], log: Path, environ: Mapping[str, str], user: int = -1) -> int:
        """Start `command`, with its output in `log`; return its process id.  `user` is whose it is, -1 for ours."""
        assert self._process.stdin and self._process.stdout
        order = {"command": [str(word) for word in command], "log": str(log), "environ": dict(environ), "user": user}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def processes(self) -> list[int]:
        """Return all processes that run and come from the programs, also those whose parents were killed."""
        return descendants(self._process.pid)

    def kill(self, process: int) -> None:
        """End one process as by a crash, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: process not in self.processes(), f"process {process} does not end")

    def kill_all(self, process: int) -> None:
        """End a process and all that come from it, and wait until they are gone."""
        ended = _stop_all(process)
        for each in ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        wait_until(lambda: not ended & set(self.processes()), f"process {process} does not end")

    def close(self) -> None:
        """End everything."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


def descendants(process: int) -> list[int]:
    """Return the processes that come from `process` and are not dead, itself not among them."""
    children: dict[int, list[int]] = {}
    dead = set()
    for folder in os.listdir("/proc"):
        with contextlib.suppress(OSError, ValueError):
            state, parent = Path(f"/proc/{int(folder)}/stat").read_text().rpartition(")")[2].split()[:2]
            children.setdefault(int(parent), []).append(int(folder))
            if state in "ZX":
                dead.add(int(folder))
    found, left = [], [process]
    while left:
        more = children.get(left.pop(), [])
        found += more
        left += more
    return [each for each in found if each not in dead]


def _stop_all(process: int) -> set[int]:
    """Stop a process and all that come from it, so that they start no more, and return them."""
    stopped: set[int] = set()
    while left := {process, *descendants(process)} - stopped:
        for each in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each, signal.SIGSTOP)
        stopped |= left
    return stopped


def wait_until(condition: object, problem: object, seconds: float = 30.0) -> None:
    """Wait for `condition`, a function; the test fails with `problem`, a text or a function, if it takes too long."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > end:
            pytest.fail(str(problem() if callable(problem) else problem))
        time.sleep(0.02)


def _main() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGCHLD, _reap)
    for line in sys.stdin:
        order = json.loads(line)
        sys.stdout.write(f"{_start(order)}\n")
        sys.stdout.flush()
    while left := descendants(os.getpid()):
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        time.sleep(0.02)


def _start(order: dict[str, object]) -> int:
    environ, command = order["environ"], order["command"]
    assert isinstance(environ, dict) and isinstance(command, list)
    process = os.fork()
    if process:
        return process
    try:
        os.setsid()
        log = os.open(str(order["log"]), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        empty = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((empty, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        if isinstance(user := order["user"], int) and user >= 0:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        os.execvpe(command[0], command, environ)
    finally:
        os._exit(127)


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    _main()
