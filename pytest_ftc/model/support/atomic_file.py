"""Atomic replacement of a file: after a crash it has either its old or its new content."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


def replace_file(
    path: Path, data: bytes, *, mode: int | None = None, mtime_ns: int | None = None, durable: bool = True
) -> None:
    """Write `data` to the file `path`.  Raises OSError, and then the file is unchanged.

    `mode` is what the umask permits unless given.  What is `durable` is on the disk before it has its name.
    """
    with replacement(path, mode=mode, mtime_ns=mtime_ns, durable=durable) as file:
        file.write(data)


@contextlib.contextmanager
def replacement(
    path: Path, *, mode: int | None = None, mtime_ns: int | None = None, durable: bool = True
) -> Iterator[BinaryIO]:
    """Yield a file that takes the place of `path` at the end, unless an exception is raised; see `replace_file`."""
    with temporary_file(path.parent, f".{path.name}.") as (part, file):
        yield file
        file.flush()
        if durable:
            os.fsync(file.fileno())
        os.fchmod(file.fileno(), 0o666 & ~umask() if mode is None else mode)
        if mtime_ns is not None:
            os.utime(part, ns=(mtime_ns, mtime_ns))
        part.replace(path)


@contextlib.contextmanager
def temporary_file(folder: Path | None, prefix: str) -> Iterator[tuple[Path, BinaryIO]]:
    """Yield a new file in `folder` (None for the temporary folder), removed at the end unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=folder)
    path = Path(name)
    try:
        with open(descriptor, "w+b") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def umask() -> int:
    """Return the umask without changing it for other threads, see proc_pid_status(5)."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o022
