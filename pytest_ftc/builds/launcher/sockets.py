"""The sockets of the machine's daemons: builds do not see them, except those that they declare.

A read-only mount does not protect them: connecting requires only write permission on the socket's inode, see unix(7).
"""

from __future__ import annotations

import contextlib
import os
import stat

from pytest_ftc.builds.launcher import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from typing import Any

_FOLDERS = ("/run", "/var/run")
_MOST_ENTRIES = 50_000
_IN_MEMORY = ("tmpfs", "ramfs", "devtmpfs")


def cover_sockets(new_root: str, scratch: str, spec: dict[str, Any], hidden: Collection[str]) -> None:
    """Mount an empty file over each socket and each daemon's named pipe in `new_root`.

    Those in the `hidden` folders are already invisible.  Raises OSError.
    """
    kept = {os.path.realpath(path) for path in spec["pass_sockets"]}
    cover = os.path.join(scratch, "no-socket")
    os.close(os.open(cover, os.O_CREAT | os.O_WRONLY, 0o444))
    for path in sorted(_find_sockets(spec["listening"], hidden) - kept):
        # In a folder that this user may not enter, neither mounting nor connecting is possible; others may vanish.
        with contextlib.suppress(PermissionError, FileNotFoundError, NotADirectoryError):
            kernel.bind(cover, new_root + path)


def show_sockets(new_root: str, passed: Collection[str], hidden: Collection[str]) -> None:
    """Bind-mount the `passed` sockets in `hidden` folders at their original paths.  Raises OSError."""
    for path in map(os.path.realpath, passed):
        if _is_below(path, hidden) and _is_socket(path) and not os.path.lexists(new_root + path):
            os.makedirs(new_root + os.path.dirname(path), exist_ok=True)
            os.close(os.open(new_root + path, os.O_CREAT | os.O_WRONLY, 0o666))
            kernel.bind(path, new_root + path)


def identify_sockets(passed: Collection[str]) -> list[tuple[int, int]]:
    """Return device and inode of each of the `passed` sockets, which also identify mounts elsewhere."""
    found = []
    for path in passed:
        with contextlib.suppress(OSError):
            status = os.stat(path)
            found.append((status.st_dev, status.st_ino))
    return found


def _find_sockets(listening: Collection[str], hidden: Collection[str]) -> set[str]:
    """Return the real paths of sockets: in /run, with a listening process, and mounted individually."""
    mounts = _read_mounts()
    found: set[str] = set()
    for folder in {os.path.realpath(folder) for folder in _FOLDERS}:
        found.update(_scan(folder, mounts))
    for path in (*listening, *mounts):
        if _is_socket(path):
            found.add(os.path.realpath(path))
    return {path for path in found if not _is_below(path, hidden)}


def _scan(top: str, mounts: dict[str, str]) -> Iterator[str]:
    """Yield the sockets and named pipes below `top`, entering only file systems in memory.

    Container runtimes mount whole systems there, and desktop sessions FUSE file systems, which may never respond.
    """
    pending, seen = [top], 0
    while pending and seen < _MOST_ENTRIES:
        with contextlib.suppress(OSError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                seen += 1
                if entry.is_dir(follow_symlinks=False):
                    if mounts.get(entry.path, "tmpfs") in _IN_MEMORY:
                        pending.append(entry.path)
                elif not entry.is_file(follow_symlinks=False) and not entry.is_symlink() and _is_socket(entry.path):
                    yield entry.path


def list_listening() -> list[str]:
    """Return the paths to which sockets of this network namespace are bound, see /proc/net/unix in proc_pid_net(5).

    Paths also reach sockets of other network namespaces, so call this before a build enters its own.
    """
    found = []
    with contextlib.suppress(OSError), open("/proc/net/unix", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.rstrip("\n").split(maxsplit=7)
            if len(fields) == 8 and fields[7].startswith("/"):
                found.append(fields[7])
    return found


def _read_mounts() -> dict[str, str]:
    """Return each mount point with the type of its file system, see proc_pid_mountinfo(5)."""
    mounts = {}
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", errors="surrogateescape") as lines:
        for line in lines:
            point = line.split()[4]
            for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
                point = point.replace(code, character)
            mounts[point] = line.partition(" - ")[2].split()[0]
    return mounts


def _is_socket(path: str) -> bool:
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode)


def _is_below(path: str, folders: Collection[str]) -> bool:
    return any(path.startswith(folder.rstrip("/") + "/") for folder in folders)
