"""Leases: what a running session has put into the store is not taken away while it runs."""

from __future__ import annotations

import contextlib
import os
import secrets

from pytest_ftc.model.support.file_lock import try_lock
from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.layout import Layout

_NAME = 16
"""Characters of a lease's name."""


class Lease:
    """A locked file that lists what its session uses; void once the session ends, even if it is killed (flock(2)).

    No clock is involved, so that one which is set back does no harm.
    """

    def __init__(self, layout: Layout) -> None:
        self._descriptor = -1
        while self._descriptor < 0:
            self.name = secrets.token_hex(_NAME // 2)
            self._path = layout.leases / self.name
            self._descriptor = _create(str(self._path))
        self._pinned: set[str] = set()

    def pin(self, name: str) -> None:
        """Keep the content `name` from being removed; to be called before one looks whether it is there."""
        if name not in self._pinned:
            os.write(self._descriptor, f"{name}\n".encode())
            self._pinned.add(name)

    def end(self) -> None:
        """Give up all of it."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _create(path: str) -> int:
    """Return the descriptor of a new locked file; -1 when somebody took it for that of a dead session meanwhile."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    crash_point("lease.made")
    if not try_lock(descriptor) or os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return -1
    return descriptor


def read_leases(layout: Layout) -> tuple[set[str], set[str]]:
    """Return the names of the living leases, and all that they pin; those of the dead are removed."""
    living: set[str] = set()
    pinned: set[str] = set()
    for name in os.listdir(layout.leases):
        path = str(layout.leases / name)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue
        with open(descriptor, "rb") as file:
            if _is_free(descriptor):
                with contextlib.suppress(OSError):
                    os.unlink(path)
            else:
                living.add(name)
                pinned.update(file.read().decode("ascii", "replace").split("\n"))
    return living, pinned


def _is_free(descriptor: int) -> bool:
    """Return whether nobody holds the lease; false where that cannot be known."""
    try:
        return try_lock(descriptor)
    except OSError:
        return False


def holder_of(part: str) -> str:
    """Return the name of the lease under which the file `part` is being written."""
    return part[:_NAME]
