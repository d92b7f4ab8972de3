"""The shared memory of libfaketime, which its processes leave behind when they are killed or exec something else."""

from __future__ import annotations

import contextlib
import os
import re

_FOLDER = "/dev/shm"
_NAME = re.compile(r"(?:sem\.)?faketime_(?:sem|shm)_(\d+)")


def list_shared_memory() -> set[str]:
    """Return the names in /dev/shm, see shm_overview(7)."""
    with contextlib.suppress(OSError):
        return set(os.listdir(_FOLDER))
    return set()


def remove_stale(before: set[str]) -> None:
    """Remove libfaketime's pieces that were not there `before` and whose maker has ended.

    Those of a build beside this one survive its maker only until a child misses them, and that child makes new ones.
    """
    for name in list_shared_memory() - before:
        match = _NAME.fullmatch(name)
        if match and not os.path.exists(f"/proc/{match[1]}"):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(_FOLDER, name))
