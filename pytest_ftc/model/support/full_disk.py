"""Disks of this machine that take no more."""

from __future__ import annotations

import errno

from pytest_ftc.model.errors import ExecutionError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def is_full(error: BaseException) -> bool:
    """Return whether `error` says that a disk, a quota or a limit of the size of files has no room."""
    return isinstance(error, OSError) and error.errno in _FULL


def describe_full(error: OSError) -> ExecutionError:
    """Return the error to raise for one that `is_full`, with the file if it is known."""
    where = f"{error.filename}: " if error.filename else ""
    return ExecutionError(
        f"{where}{error.strerror} on this machine",
        advice="Free space, or set TMPDIR and FTC_STORE to folders with space.",
    )
