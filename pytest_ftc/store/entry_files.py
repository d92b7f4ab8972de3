"""The files of the action cache: one for each entry, written atomically."""

from __future__ import annotations

import contextlib
import os

from pytest_ftc.store.crash_points import crash_point
from pytest_ftc.store.layout import Layout, open_plain, sync_folder, write_all

LARGEST = 64 << 20
"""Largest entry in bytes; larger ones are not stored."""


def read_entry(path: str) -> bytes:
    """Return the bytes of the entry in the file `path`.  Raises OSError, and ValueError if it is not a regular file."""
    with open(open_plain(path), "rb") as file:
        return file.read(LARGEST + 1)


def write_entry(layout: Layout, part: str, action: str, data: bytes) -> None:
    """Replace the entry for `action` with `data`, through the temporary file `part`.  Raises OSError."""
    place = layout.action(action)
    try:
        _write(part, data)
        crash_point("entry.part-written")
        folder = os.path.dirname(place)
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        os.rename(part, place)
        crash_point("entry.named")
        sync_folder(folder)
        sync_folder(str(layout.actions))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        crash_point("entry.part-made")
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
