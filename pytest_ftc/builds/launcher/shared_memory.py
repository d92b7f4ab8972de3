"""The shared memory of libfaketime, which remains when its processes are killed or execute another program."""

from __future__ import annotations

import os

_FOLDER = "/dev/shm"
_KINDS = ("faketime_sem_", "faketime_shm_", "sem.faketime_sem_")


def list_shared_memory() -> set[str]:
    """Return the names in /dev/shm, see shm_overview(7)."""
    try:
        return set(os.listdir(_FOLDER))
    except OSError:
        return set()


def remove_stale(before: set[str]) -> None:
    """Remove libfaketime's objects that did not exist `before` and whose creator has ended.

    This may remove one of a concurrent build whose creator has ended; a child of that build then creates a new one.
    """
    for name in list_shared_memory() - before:
        maker = name.rpartition("_")[2]
        if name.startswith(_KINDS) and maker.isdecimal() and not _is_alive(maker):
            try:
                os.unlink(os.path.join(_FOLDER, name))
            except OSError:
                continue


def _is_alive(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
