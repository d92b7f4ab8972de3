"""Leases: they protect the contents that a running session uses from garbage collection."""

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
    """A locked file that lists what its session uses; the lock ends with the session, even if killed (flock(2)).

    No clock is involved, so setting the clock back does no harm.
    """

    def __init__(self, layout: Layout) -> None:
        self._descriptor = -1
        while self._descriptor < 0:
            self.name = secrets.token_hex(_NAME // 2)
            self._path = layout.leases / self.name
            self._descriptor = _create(str(self._path))
        self._pinned: set[str] = set()

    def pin(self, name: str) -> None:
        """Protect the content `name` from removal; call this before checking whether it exists."""
        if name not in self._pinned:
            os.write(self._descriptor, f"{name}\n".encode())
            self._pinned.add(name)

    def end(self) -> None:
        """Release everything."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        with contextlib.suppress(OSError):
            os.close(self._descriptor)


def _create(path: str) -> int:
    """Return the descriptor of a new locked file; -1 if another process removed it meanwhile, taking it for dead."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    crash_point("lease.made")
    if not try_lock(descriptor) or os.fstat(descriptor).st_nlink == 0:
        os.close(descriptor)
        return -1
    return descriptor


def read_leases(layout: Layout) -> tuple[set[str], set[str]]:
    """Return the names of live leases and everything they pin; remove leases of dead sessions."""
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
    """Return whether nobody holds the lease; False if that is unknown."""
    try:
        return try_lock(descriptor)
    except OSError:
        return False


def holder_of(part: str) -> str:
    """Return the name of the lease whose session writes the temporary file `part`."""
    return part[:_NAME]
