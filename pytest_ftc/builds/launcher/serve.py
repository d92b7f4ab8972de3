"""A process that has loaded the launcher, and forks for each build: to load it takes longer than many builds do.

Each request is one message on a Unix socket: the build's work folder, with five descriptors: the launcher's standard
input, output and error, its spec, and a pipe.  Into that go two lines: ``pid 123`` once it runs, ``exit 0`` at its end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import traceback

from pytest_ftc.builds.launcher.main import main

_MOST = 64 << 10
"""Bytes of a message."""
_DESCRIPTORS = 5
_ARGUMENTS = slice(45, 47)
"""Which fields of proc_pid_stat(5), from the state on, tell where the arguments begin and end in memory."""


def serve() -> None:
    """Launch what the socket that is the standard input asks for, until nobody can ask any more.

    Once the launcher is loaded, the number of this process is written to the socket.
    """
    _name_process("serve")
    _load()
    channel = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    woken, wake = os.pipe()
    for end in (woken, wake):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    exits: dict[int, int] = {}
    poll = select.poll()
    for descriptor in (channel.fileno(), woken):
        poll.register(descriptor, select.POLLIN)
    channel.send(b"%d" % os.getpid())
    while True:
        ready = [descriptor for descriptor, _ in poll.poll()]
        if woken in ready:
            os.read(woken, 4096)
            _reap(exits)
        if channel.fileno() not in ready:
            continue
        name, descriptors, _, _ = socket.recv_fds(channel, _MOST, _DESCRIPTORS)
        if not name:
            return
        if pid := _fork(os.fsdecode(name), descriptors, (channel.fileno(), woken, wake, *exits.values())):
            exits[pid] = descriptors.pop()
            _tell(exits[pid], f"pid {pid}\n")
        for each in descriptors:
            os.close(each)


def _load() -> None:
    """Import what most launchers need, so that they share it in memory."""
    from pytest_ftc.builds.launcher.clocks import clock, time_stamps, vdso  # noqa: F401
    from pytest_ftc.builds.launcher.tracing import (  # noqa: F401
        cpuid,
        flows,
        listed_folders,
        outside,
        program_image,
        random_requests,
        recorder,
        rewrites,
        unvaried,
    )
    from pytest_ftc.builds.launcher.tracing.contacts import listeners, meetings, peers, shared_objects  # noqa: F401

    gc.collect()
    gc.freeze()


def _fork(folder: str, descriptors: list[int], others: tuple[int, ...]) -> int:
    """Return the process of a new launcher; 0 if there are too many, or not all `descriptors` could be received."""
    if len(descriptors) != _DESCRIPTORS:
        return 0
    try:
        pid = os.fork()
    except OSError:
        return 0
    if not pid:
        *given, ended = descriptors
        _launch(folder, given, (*others, ended))
    return pid


def _reap(exits: dict[int, int]) -> None:
    """Tell of each launcher that has ended."""
    while exits:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        if pid in exits:
            ended = exits.pop(pid)
            _tell(ended, f"exit {os.waitstatus_to_exitcode(status)}\n")
            os.close(ended)


def _tell(descriptor: int, line: str) -> None:
    # Perhaps nobody waits for it any more.
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, line.encode())


def _launch(folder: str, given: list[int], others: tuple[int, ...]) -> None:
    """Be the launcher of one build, and end."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for descriptor in others:
            os.close(descriptor)
        os.setsid()
        _name_process(folder)
        os.chdir(folder)
        *standard, spec = given
        for number, descriptor in enumerate(standard):
            os.dup2(descriptor, number)
            os.close(descriptor)
        code = main(str(spec))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _name_process(name: str) -> None:
    """Show `name` in the arguments of this process: those who list processes know by a folder what it launches."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    start, end = map(int, fields[_ARGUMENTS])
    text = b"\0".join(map(os.fsencode, (sys.executable, __package__, name))) + b"\0"
    if len(text) <= end - start:
        ctypes.memset(start, 0, end - start)
        ctypes.memmove(start, text, len(text))
