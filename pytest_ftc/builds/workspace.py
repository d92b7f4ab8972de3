"""The work folder of a session, which is removed whatever ends the session."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import tempfile
import time
from pathlib import Path
from types import TracebackType

from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.model.errors import ExecutionError
from pytest_ftc.model.support.file_lock import try_lock

_PREFIX = "pytest-ftc-"
_LOCK = "lock"
_MOMENT = 60
"""Seconds within which a session that created a lock file has locked it."""
_VOLATILE = ("tmpfs", "ramfs", "overlay")


class Workspace:
    """A private folder on disk, locked while the session runs.

    The next session recognises the folders of killed sessions by their unlocked lock files, and removes them.
    """

    def __init__(self, base: Path | None = None, name: str = "") -> None:
        # The name is chosen before the folder is created, so that `close` can remove it at any time.
        self._base = base or _choose_base()
        self.path = self._base / (name or f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}")
        self._lock: int | None = None

    def make(self) -> None:
        """Create the folder.  Raises ExecutionError."""
        _sweep(self._base)
        try:
            self._make_folder()
            self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try_lock(self._lock)  # the folder is new, so its lock is free
        except OSError as error:
            raise ExecutionError(
                f"cannot create the work folder {self.path}: {error.strerror}",
                advice="Set TMPDIR to a folder with space.",
            ) from error

    def _make_folder(self) -> None:
        try:
            self.path.mkdir(mode=0o700)
        except FileExistsError:  # another session's, which must not be removed
            self.path = Workspace(self._base).path
            self.path.mkdir(mode=0o700)

    @classmethod
    def again(cls, path: Path) -> Workspace:
        """Return a workspace at the `path` of an earlier session, if that is free and in this session's base folder."""
        one = cls()
        is_ours = re.fullmatch(f"{_PREFIX}[0-9]+-[0-9a-f]{{8}}", path.name) and path.parent == one._base
        return cls(name=path.name) if is_ours and not os.path.lexists(path) else one

    def folder(self, name: str) -> Path:
        """Return the sub-folder `name`, created if missing."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Remove the folder and everything in it, as far as it exists."""
        remove_tree(str(self.path))
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Workspace:
        self.make()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def filesystem_type(path: Path) -> str:
    """Return the type of the file system of `path`, as named in /proc/self/mountinfo; empty if unknown."""
    best, kind = -1, ""
    resolved = str(path.resolve())
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", errors="surrogateescape") as mounts:
        for line in mounts:
            fields, _, rest = line.partition(" - ")
            # Spaces in names are written as \040, see proc_pid_mountinfo(5).
            point = fields.split()[4].replace("\\040", " ")
            inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
            if inside and len(point) >= best:
                best, kind = len(point), rest.split()[0]
    return kind


def is_in_memory(folder: Path) -> bool:
    """Return whether `folder` is on a file system in memory, or a container's, which may be."""
    return filesystem_type(folder) in _VOLATILE


def _choose_base() -> Path:
    """Return the temporary folder, or /var/tmp if the former is in memory: control builds need a disk."""
    first = Path(tempfile.gettempdir())
    candidates = [first] if "TMPDIR" in os.environ else [first, Path("/var/tmp")]
    for candidate in candidates:
        if os.access(candidate, os.W_OK) and not is_in_memory(candidate):
            return candidate
    return first


def _sweep(base: Path) -> None:
    """Remove the folders of killed sessions: those whose process has ended and whose lock is free."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.lstat().st_uid == os.geteuid() and not folder.is_symlink() and _is_abandoned(folder):
                remove_tree(str(folder))


def _is_abandoned(folder: Path) -> bool:
    maker = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
    lock = folder / _LOCK
    # A live process may not have locked its file yet; but a PID in use proves little, because PIDs are reused.
    old = lock.exists() and time.time() - lock.lstat().st_mtime > _MOMENT
    return (old or not Path(f"/proc/{maker}").exists()) and _is_unlocked(lock)


def _is_unlocked(path: Path) -> bool:
    if not path.exists():
        return True
    lock = os.open(path, os.O_RDWR)
    try:
        return try_lock(lock)
    finally:
        os.close(lock)
