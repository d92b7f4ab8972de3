"""Processes that a signal has stopped."""

from __future__ import annotations

import contextlib


def is_stopped(pid: int) -> bool:
    """Return whether a signal has stopped the process `pid`: T in proc_pid_stat(5), where that exists."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()[0] == b"T"
    return False
