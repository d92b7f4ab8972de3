"""Storing the contents of outputs by their SHA-256, within a time limit."""

from __future__ import annotations

import os
import stat
import time

from pytest_ftc.builds.launcher.trees import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_CHUNK = 1 << 20
_ZEROS = bytes(_CHUNK)


class TooLargeError(Exception):
    """The contents could not be stored in time; the message names the output."""


class Blobs:
    """A folder of contents, one file for each SHA-256, that must be filled within `seconds`."""

    def __init__(self, folder: str, seconds: float = float("inf")) -> None:
        self._folder = folder
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def check_time(self, path: str, size: int = 0) -> None:
        """Raise TooLargeError if the time is up; `path` and `size` describe the current output."""
        if time.monotonic() > self._end:
            holds = f"; {path!r} has {size} bytes" if size else ""
            raise TooLargeError(f"its outputs could not be read within {self._seconds:g} s{holds}")

    def keep(self, tree: str, path: str, status: os.stat_result) -> tuple[str, int]:
        """Copy the file `path` of `tree`, reading it once, and return its SHA-256 and size; holes are preserved.

        Raises TooLargeError, OSError.
        """
        import hashlib  # slow to import, and needed only when there are outputs

        digest, size = hashlib.sha256(), 0
        part = os.path.join(self._folder, "part")
        with _open(os.path.join(tree, path), status) as source, open(part, "wb", buffering=0) as target:
            for chunk in _read(source):
                self.check_time(path, status.st_size)
                digest.update(chunk)
                size += len(chunk)
                if chunk is _ZEROS or chunk == _ZEROS:
                    target.seek(len(chunk), os.SEEK_CUR)
                else:
                    write_all(target.fileno(), chunk)
            target.truncate(size)
        name = digest.hexdigest()
        os.rename(part, os.path.join(self._folder, name))
        return name, size


def _read(file: Any) -> Iterator[bytes]:
    """Yield all of `file`, without reading its holes (SEEK_DATA in lseek(2))."""
    position = 0
    while True:
        data = _next_data(file, position)
        while data - position >= _CHUNK:
            yield _ZEROS
            position += _CHUNK
        file.seek(position)
        chunk = file.read(_CHUNK)
        if not chunk:
            return
        yield chunk
        position += len(chunk)


def _next_data(file: Any, position: int) -> int:
    """Return the start of the next data, or the end of the file; `position` if that is not supported."""
    size: int = os.fstat(file.fileno()).st_size
    if not hasattr(os, "SEEK_DATA"):
        return position
    try:
        return os.lseek(file.fileno(), position, os.SEEK_DATA)
    except OSError as error:
        import errno

        return size if error.errno == errno.ENXIO else position


def _open(path: str, status: os.stat_result) -> Any:
    try:
        return open(path, "rb", buffering=0, opener=_open_unnoticed)
    except PermissionError:
        # The owner of a file with mode 000 may still change its mode.
        os.chmod(path, 0o400)
        try:
            return open(path, "rb", buffering=0, opener=_open_unnoticed)
        finally:
            os.chmod(path, stat.S_IMODE(status.st_mode))


def _open_unnoticed(path: str, flags: int) -> int:
    """Open without updating the access time, which is evidence of the build; only the owner may, see open(2)."""
    try:
        return os.open(path, flags | getattr(os, "O_NOATIME", 0))
    except PermissionError:
        return os.open(path, flags)
