"""Storing the contents of outputs by their SHA-256, within a time limit.

A content is read once.  It is copied only where it must be: a file in the upper layer of a build's overlay is given a
second name, and so is what another build of the artifact has left already.
"""

from __future__ import annotations

import errno
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
_SMALL = 1 << 16
"""Bytes of a file that is copied as soon as it is looked up elsewhere."""


class TooLargeError(Exception):
    """The contents could not be stored in time; the message names the output."""


class Blobs:
    """A folder of contents, one file for each SHA-256, that must be filled within `seconds`.

    `upper` is a descriptor of the upper layer of the tree, where nothing that the build started can still change it.
    `known` is one of a folder with the contents of another build.  Each is None if it is not in the same file system.
    """

    def __init__(
        self, folder: str, seconds: float = float("inf"), *, upper: int | None = None, known: int | None = None
    ) -> None:
        self._folder = folder
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._upper = upper
        self._known = known
        self._left: list[tuple[str, str, os.stat_result, str]] = []
        """Contents that are in the tree only: tree, path, status and SHA-256."""

    def check_time(self, path: str, size: int = 0) -> None:
        """Raise TooLargeError if the time is up; `path` and `size` describe the current output."""
        if time.monotonic() > self._end:
            holds = f"; {path!r} has {size} bytes" if size else ""
            raise TooLargeError(f"its outputs could not be read within {self._seconds:g} s{holds}")

    def keep(self, tree: str, path: str, status: os.stat_result) -> tuple[str, int]:
        """Keep the content of the file `path` of `tree`, and return its SHA-256 and size; holes are preserved.

        `settle` must be called before the tree is removed.  Raises TooLargeError, OSError.
        """
        if status.st_size < _SMALL or not (self._known is not None or self._is_in_upper(path, status)):
            return self._copy(tree, path, status)
        with _open(os.path.join(tree, path), status) as source:
            name, size = self._digest(source, path, status)
        if not self._link(name, name, self._known):
            self._left.append((tree, path, status, name))
        return name, size

    def settle(self) -> None:
        """Take the contents that are in the tree only; they may no longer change.  Raises TooLargeError, OSError."""
        for tree, path, status, name in self._left:
            if os.path.lexists(os.path.join(self._folder, name)):
                continue
            if self._is_in_upper(path, status) and self._link(path, name, self._upper):
                continue
            if self._copy(tree, path, status)[0] != name:
                raise OSError(errno.ESTALE, "an output changed while it was taken", path)
        self._left.clear()

    def _is_in_upper(self, path: str, status: os.stat_result) -> bool:
        """Return whether the file is in the upper layer, under no other name.

        What overlayfs has copied up, perhaps without the content, has the inode number of the lower layer.
        """
        if self._upper is None or status.st_nlink != 1:
            return False
        try:
            own = os.stat(path, dir_fd=self._upper, follow_symlinks=False)
        except OSError:
            return False
        return (own.st_ino, own.st_size, own.st_nlink) == (status.st_ino, status.st_size, 1)

    def _link(self, path: str, name: str, folder: int | None) -> bool:
        """Give a file in `folder` the second name `name`, as a file of ours; return whether that is possible."""
        if folder is None:
            return False
        target = os.path.join(self._folder, name)
        try:
            os.link(path, target, src_dir_fd=folder, follow_symlinks=False)
        except OSError as error:
            return error.errno == errno.EEXIST
        try:
            os.chown(target, os.geteuid(), os.getegid())
            os.chmod(target, 0o644)
        except OSError:
            os.unlink(target)
            return False
        return True

    def _copy(self, tree: str, path: str, status: os.stat_result) -> tuple[str, int]:
        part = os.path.join(self._folder, "part")
        with _open(os.path.join(tree, path), status) as source, open(part, "wb", buffering=0) as target:
            name, size = self._digest(source, path, status, target)
            target.truncate(size)
        os.rename(part, os.path.join(self._folder, name))
        return name, size

    def _digest(self, source: Any, path: str, status: os.stat_result, target: Any = None) -> tuple[str, int]:
        """Return SHA-256 and size of `source`, and write its content to `target`."""
        import hashlib  # slow to import, and needed only when there are outputs

        digest, size = hashlib.sha256(), 0
        for chunk in _read(source):
            self.check_time(path, status.st_size)
            digest.update(chunk)
            size += len(chunk)
            if target is None:
                continue
            if chunk is _ZEROS or chunk == _ZEROS:
                target.seek(len(chunk), os.SEEK_CUR)
            else:
                write_all(target.fileno(), chunk)
        return digest.hexdigest(), size


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
