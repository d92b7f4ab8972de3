"""The shared memory of libfaketime, which its processes leave behind when they are killed or exec something else."""

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
    """Remove libfaketime's pieces that were not there `before` and whose maker has ended.

    Those of a build beside this one survive its maker only until a child misses them, and that child makes new ones.
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
