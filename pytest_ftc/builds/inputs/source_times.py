"""The mtimes of source files: builds see only their order.

make and similar tools compare mtimes, so what they build depends on which of two sources is newer.  In an unmodified
clone that is chance, and all files get the same mtime.  Elsewhere it shows what was edited or built last, so the order
is kept, and a cached verdict is valid only for this order.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_ftc.builds.launcher.trees import list_folder
from pytest_ftc.model.support.epoch import SOURCES_EPOCH

_STEP = 2
"""Seconds from one file to the next: zip stores times in steps of two (APPNOTE 4.4.6)."""
ONE_TIME = ""
"""The order of files that all have the same mtime."""


def describe_order(source: Path, entries: Callable[[str], Iterable[str]] = list_folder) -> str:
    """Return the digest of the order in which the files below `source`, listed by `entries`, were changed.

    Raises OSError.
    """
    hashed = hashlib.sha256()
    for rank, names in enumerate(_in_order(str(source), entries)):
        hashed.update(b"".join(b"%d\0%s\0" % (rank, os.fsencode(name)) for name in names))
    return hashed.hexdigest()


def settle_times(tree: Path, order: str) -> None:
    """Give the files in `tree` mtimes that depend only on their `order`, and each folder that of its newest entry.

    Raises OSError.
    """
    times: dict[str, int] = {}
    if order != ONE_TIME:
        for rank, names in enumerate(_in_order(str(tree), list_folder)):
            times.update(dict.fromkeys(names, rank * _STEP))
    _settle(str(tree), "", times)


def _settle(tree: str, folder: str, times: dict[str, int]) -> int:
    """Set the mtimes of everything in `folder`, then its own, and return that."""
    newest = 0
    for name in list_folder(os.path.join(tree, folder)):  # noqa: PTH118
        path = f"{folder}/{name}" if folder else name
        full = os.path.join(tree, path)  # noqa: PTH118
        if stat.S_ISDIR(os.lstat(full).st_mode):
            time = _settle(tree, path, times)
        else:
            time = times.get(path, 0)
            _set_time(full, time)
        newest = max(newest, time)
    _set_time(os.path.join(tree, folder), newest)  # noqa: PTH118
    return newest


def _set_time(path: str, time: int) -> None:
    moment = (SOURCES_EPOCH + time) * 1_000_000_000
    os.utime(path, ns=(moment, moment), follow_symlinks=False)


def _in_order(tree: str, entries: Callable[[str], Iterable[str]]) -> list[list[str]]:
    """Return the files in `tree`, the oldest first, in groups with the same mtime."""
    found: list[tuple[int, str]] = []
    start = len(tree.rstrip("/")) + 1
    pending = [tree]
    while pending:
        folder = pending.pop()
        for name in entries(folder):
            path = os.path.join(folder, name)  # noqa: PTH118
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                pending.append(path)
            elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                found.append((status.st_mtime_ns, path[start:]))
    return [[name for _, name in group] for _, group in itertools.groupby(sorted(found), key=lambda one: one[0])]
