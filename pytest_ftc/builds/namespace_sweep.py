"""Killing what is left of a build whose launcher was killed, and which no PID namespace ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.builds.launcher.supervisors import NAMESPACE

_NS_GET_PARENT = 0xB702
"""See ioctl_ns(2)."""
_DEEPEST = 33
"""User namespaces nest 32 deep, see user_namespaces(7)."""
_ROUNDS = 100


def kill_namespace(folder: Path) -> None:
    """Kill the launcher of the build in the work folder `folder`, and all processes in its user namespace.

    Also those in user namespaces below it: a process cannot leave one but for such a one.  Does nothing if the launcher
    had not entered a namespace yet, because then it had not started anything.
    """
    try:
        device, inode = map(int, (folder / NAMESPACE).read_text().split())
    except (OSError, ValueError):
        return
    for _ in range(_ROUNDS):  # a process may fork while the others are listed
        victims = list(_find(os.fsencode(folder), (device, inode)))
        for pid in victims:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not victims:
            return
        time.sleep(0.005)


def _find(folder: bytes, namespace: tuple[int, int]) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if _is_alive(process) and (_is_launcher(process, folder) or _is_within(process, namespace)):
                yield int(process.name)


def _is_alive(process: Path) -> bool:
    return (process / "stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def _is_launcher(process: Path, folder: bytes) -> bool:
    """Return whether the last argument of `process` is the work folder: a launcher hides its namespaces."""
    return (process / "cmdline").read_bytes().rstrip(b"\0").endswith(b"\0" + folder)


def _is_within(process: Path, namespace: tuple[int, int]) -> bool:
    descriptor = os.open(process / "ns/user", os.O_RDONLY)
    for _ in range(_DEEPEST):
        try:
            status = os.fstat(descriptor)
            if (status.st_dev, status.st_ino) == namespace:
                return True
            parent = fcntl.ioctl(descriptor, _NS_GET_PARENT)
        except OSError:
            return False  # EPERM: the parent is not below this process's own
        finally:
            os.close(descriptor)
        descriptor = parent
    os.close(descriptor)
    return False
