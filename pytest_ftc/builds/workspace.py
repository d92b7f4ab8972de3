"""The folder in which a session works, gone when the session is, whatever ended it."""

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
"""Seconds after which whoever made a lock has taken it."""
_VOLATILE = ("tmpfs", "ramfs", "overlay")


class Workspace:
    """A private folder on a disk, locked while the session lives.

    Folders that a killed session left behind are recognised by their free lock and removed by the next session.
    """

    def __init__(self, base: Path | None = None, name: str = "") -> None:
        # The name is known before there is a folder: whoever closes this removes it, at whatever moment.
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
        except FileExistsError:  # somebody else's, which is not to be removed
            self.path = Workspace(self._base).path
            self.path.mkdir(mode=0o700)

    @classmethod
    def again(cls, path: Path) -> Workspace:
        """Return one at the `path` of an earlier session's, if that is free and where this session's would be."""
        one = cls()
        is_ours = re.fullmatch(f"{_PREFIX}[0-9]+-[0-9a-f]{{8}}", path.name) and path.parent == one._base
        return cls(name=path.name) if is_ours and not os.path.lexists(path) else one

    def folder(self, name: str) -> Path:
        """Return the sub-folder `name`, made if need be."""
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def close(self) -> None:
        """Remove the folder and everything in it; it may be there in part, or not at all."""
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
    """Return the type of the file system that holds `path`, as /proc/self/mountinfo names it; empty if unknown."""
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


def _choose_base() -> Path:
    """Return the temporary folder, or /var/tmp where the former is in memory: control builds want a disk."""
    first = Path(tempfile.gettempdir())
    candidates = [first] if "TMPDIR" in os.environ else [first, Path("/var/tmp")]
    for candidate in candidates:
        if os.access(candidate, os.W_OK) and filesystem_type(candidate) not in _VOLATILE:
            return candidate
    return first


def _sweep(base: Path) -> None:
    """Remove what killed sessions left: folders of ours whose maker is gone and whose lock is free."""
    for folder in base.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.lstat().st_uid == os.geteuid() and not folder.is_symlink() and _is_abandoned(folder):
                remove_tree(str(folder))


def _is_abandoned(folder: Path) -> bool:
    maker = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
    lock = folder / _LOCK
    # A living maker may not hold the lock yet; that its number is in use means little, for numbers are given again.
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
