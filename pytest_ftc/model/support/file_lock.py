"""Locks between processes, on files.  All are flock(2), so the kernel frees a lock when its last holder is gone.

An ordinary lock is `locked`.  `try_lock` is the bare flock on an open file, for a lock that must outlive the process
that took it: every process that inherits the descriptor holds it too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def locked(path: Path | str, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file `path`, which is created if missing; yield false if it is taken and `wait` is false.

    Raises OSError when the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        held = wait or try_lock(descriptor)
        try:
            yield held
        finally:
            if held:
                unlock(descriptor)
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    """Lock the open file `descriptor` without waiting, until it is closed everywhere; return whether it was free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Free the lock now, even if a forked process still has the file open."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)
