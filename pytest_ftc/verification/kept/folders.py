"""The folders of kept outputs: made under a lock, bounded in total, the oldest removed first."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.file_lock import locked

CONTROL, EXPERIMENT = "control", "experiment"
_NAME = re.compile(r"[A-Za-z0-9-]+-[0-9a-f]{12}")
_UNFINISHED = ".unfinished-"
_BLOCK = 4096
"""Bytes that a file takes at least, so that many empty files are bounded too."""


class NoRoomError(FtcError):
    """What is to be kept does not fit."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file to keep."""

    content: Path
    size: int
    """Bytes."""
    executable: bool


Files = Mapping[str, KeptFile]
"""Files by their paths below a folder, with ``/``."""


def space_of(sizes: Iterable[int]) -> int:
    """Return the bytes that files of these `sizes` take."""
    return sum(max(1, -(-size // _BLOCK)) * _BLOCK for size in sizes)


class KeptFolders:
    """Folders in `folder`, each with the files of two builds; all together take at most `most` bytes.

    Sessions and workers share them.  What was added or found since this object was made is never removed by it.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self.most = most
        self._since = time.time()

    def find(self, name: str) -> Path | None:
        """Return the folder with this `name` if there is one, which now counts as new.  Raises OSError."""
        if not self._folder.is_dir():
            return None
        with locked(self._folder / "lock"):
            return self._find(name)

    def add(self, name: str, sides: Mapping[str, Files]) -> Path:
        """Return the folder with this `name`, made with `sides` in it unless it exists.

        Raises NoRoomError, and OSError, also for names that cannot be together.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(self._folder / "lock"):
            if found := self._find(name):
                return found
            self._remove_unfinished()
            self._make_room(space_of(file.size for files in sides.values() for file in files.values()))
            target, unfinished = self._folder / name, self._folder / f"{_UNFINISHED}{name}"
            try:
                for side, files in sides.items():
                    _copy(files, unfinished / side)
                unfinished.rename(target)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
            _renew(target)
            return target

    def _find(self, name: str) -> Path | None:
        path = self._folder / name
        if not _is_ours(path):
            return None
        _renew(path)
        return path

    def _remove_unfinished(self) -> None:
        """Remove what a session left that was killed: whoever writes such a folder holds the lock."""
        for path in self._folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _make_room(self, space: int) -> None:
        """Remove the oldest folders until `space` bytes are free.  Raises NoRoomError, and then none is removed."""
        taken = {path: space_of(_sizes_below(path)) for path in self._folder.iterdir() if _is_ours(path)}
        old = {path: changed for path in taken if (changed := path.stat().st_mtime) < self._since}
        if sum(taken[path] for path in taken.keys() - old.keys()) + space > self.most:
            raise NoRoomError("no room")
        for path in sorted(old, key=lambda one: old[one]):
            if sum(taken.values()) + space <= self.most:
                return
            shutil.rmtree(path, ignore_errors=True)
            del taken[path]


def _is_ours(path: Path) -> bool:
    """Return whether `path` is a folder that was made here: in the one for reports, people may have others."""
    if not _NAME.fullmatch(path.name) or path.is_symlink() or not path.is_dir():
        return False
    return {one.name for one in path.iterdir()} == {CONTROL, EXPERIMENT}


def _renew(path: Path) -> None:
    # The kernel's own time for a file may lie some milliseconds before the start of the session.
    now = time.time()
    os.utime(path, (now, now))


def _copy(files: Files, folder: Path) -> None:
    """Write `files` to the new `folder`, in which nothing but them is, so that no path leads through a link."""
    folder.mkdir(parents=True)
    for path, file in files.items():
        target = folder / PurePosixPath(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            raise FileExistsError(f"{path} has the name of another output on this file system")
        shutil.copyfile(file.content, target)
        if file.executable:
            mode = target.stat().st_mode
            target.chmod(mode | (mode & 0o444) >> 2)


def _sizes_below(folder: Path) -> Iterator[int]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name).lstat().st_size for name in names)
