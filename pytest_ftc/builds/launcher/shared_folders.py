"""Files and shared memory that a build without namespaces shares with other processes."""

from __future__ import annotations

import os
import shutil
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_MEMORY = "/dev/shm"
_TEMPORARY = ("/tmp", "/var/tmp", _MEMORY)
_NOT_FILES = ("/dev/", "/proc/", "/sys/")
_BY_OURSELVES = (".pytest_cache", "faketime_", "sem.faketime_", "ftc-", "pytest-of-")
"""Prefixes of the names that this session creates there."""

_KINDS = ("faketime_sem_", "faketime_shm_", "sem.faketime_sem_")
"""Prefixes of libfaketime's objects, which remain when its processes are killed or execute other programs."""


class SharedFolders:
    """The state of the shared folders before a build."""

    def __init__(self, spec: dict[str, Any]) -> None:
        own = (spec["build_path"], spec["home"], spec["temp_dir"], spec["work"], os.path.dirname(spec["home"]))
        compiled = filter(None, [spec.get("locales")])
        self._own = tuple(os.path.realpath(folder) + "/" for folder in (*own, *compiled))
        self._tools = tuple(folder + "/" for folder in spec["visible"])
        self._folders = [*_TEMPORARY, *(folder for folder in spec["shared"] if os.path.isdir(folder))]
        self._before = {folder: _list(folder) for folder in self._folders}
        self._since = _now()

    def find_used(self, read: Iterable[str], written: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the shared files that a traced build used and that remain, and the new ones, which are removed."""
        used: dict[str, None] = {}
        new: dict[str, None] = {}
        temporary = tuple(f"{folder}/" for folder in _TEMPORARY)
        projects = tuple(f"{folder}/" for folder in self._folders if folder not in _TEMPORARY)
        for path in dict.fromkeys(place for name in written for place in (_place(name), os.path.realpath(name))):
            if not self._is_inside(path) and "/__pycache__/" not in path and self._is_changed(path):
                top = self._new_top(path)
                (new if top else used)[top or path] = None
        for path in read:
            known = self._is_inside(path) or path.startswith(projects) or self._new_top(path)
            if path.startswith(temporary) and not known:
                used[path] = None
        removed = [path for path in new if _remove(path)]
        return [*used, *(path for path in new if path not in removed)], removed

    def find_new(self) -> list[str]:
        """Return new entries of these folders that belong to this user, for a build that could not be traced."""
        found = []
        for folder, before in self._before.items():
            for name in sorted(_list(folder) - before):
                path = os.path.join(folder, name)
                if not name.startswith(_BY_OURSELVES) and not self._is_inside(path) and _is_ours(path):
                    found.append(path)
        return found

    def _is_inside(self, path: str) -> bool:
        return path.startswith((*self._own, *self._tools, *_NOT_FILES)) and not path.startswith("/dev/shm/")

    def _is_changed(self, path: str) -> bool:
        try:
            return os.lstat(path).st_ctime_ns >= self._since
        except OSError:
            return False

    def _new_top(self, path: str) -> str:
        """Return the new entry of a temporary folder that contains `path`; empty if there is none."""
        for folder in _TEMPORARY:
            if path.startswith(folder + "/"):
                name = path[len(folder) + 1 :].partition("/")[0]
                if name not in self._before[folder] and _is_ours(os.path.join(folder, name)):
                    return os.path.join(folder, name)
        return ""


def _place(path: str) -> str:
    """Return `path` without links in its folder; a link may itself be what was written."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def _list(folder: str) -> set[str]:
    try:
        return set(os.listdir(folder))
    except OSError:
        return set()


def _now() -> int:
    """Return the time of the clock for file timestamps, which is up to a tick behind, see clock_gettime(2)."""
    import time

    return time.clock_gettime_ns(time.CLOCK_REALTIME_COARSE) if hasattr(time, "CLOCK_REALTIME_COARSE") else 0


def _is_ours(path: str) -> bool:
    try:
        return os.lstat(path).st_uid == os.geteuid()
    except OSError:
        return False


def _remove(path: str) -> bool:
    try:
        if stat.S_ISDIR(os.lstat(path).st_mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError:
        return False
    return True


def list_shared_memory() -> set[str]:
    """Return the names in /dev/shm, see shm_overview(7)."""
    try:
        return set(os.listdir(_MEMORY))
    except OSError:
        return set()


def remove_stale(before: set[str]) -> None:
    """Remove libfaketime's objects that did not exist `before` and whose creator has ended.

    This may remove an object of a concurrent build whose creator has ended; a child of that build then creates another.
    """
    for name in list_shared_memory() - before:
        maker = name.rpartition("_")[2]
        if name.startswith(_KINDS) and maker.isdecimal() and not _is_alive(maker):
            try:
                os.unlink(os.path.join(_MEMORY, name))
            except OSError:
                continue


def _is_alive(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False
