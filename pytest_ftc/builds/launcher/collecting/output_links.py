"""Outputs that are symlinks: their targets in the build tree are also outputs, and other targets are reported."""

from __future__ import annotations

import os
import stat
import sys
import time

from pytest_ftc.builds.launcher.collecting.wording import name_some
from pytest_ftc.builds.launcher.globs import find_below

_REALTIME_COARSE = 5
"""The clock of file times, see clock_gettime(2); Python does not name it."""
FILE_CLOCK_TICK = time.clock_getres(_REALTIME_COARSE) if sys.platform == "linux" else 1.0
"""Seconds between two times that files can have on this machine."""


def file_clock() -> int:
    """Return the earliest time, in nanoseconds since 1970, that a file modified now can have."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_REALTIME_COARSE)
    return time.time_ns() - 1_000_000_000


class LinkTargets:
    """The targets of the symlinks among the outputs of a build."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        """Targets in the tree that are not declared outputs; folders with all their contents."""
        self._leaving: list[str] = []
        self._upward: list[str] = []

    def notes(self) -> list[str]:
        """Return the targets that are not compared, one sentence each."""
        kinds = (
            (self._leaving, "leaves the build tree; its target is not compared"),
            (self._upward, "leads to a folder that contains it; only declared outputs there are compared"),
        )
        return [f"an output that is a link {what}: {name_some(sorted(links))}" for links, what in kinds if links]

    def look(self, tree: str, real: str, link: str) -> list[str]:
        """Return the next link in the chain from `link`, or its target; `real` is the path of `tree`."""
        target = os.readlink(os.path.join(tree, link))
        # One step at a time: each link in the chain is a separate output.
        full = _resolve_folder(os.path.join(os.path.realpath(os.path.join(tree, os.path.dirname(link))), target))
        if full != real and not full.startswith(f"{real}/"):
            self._leaving.append(f"{link} -> {target}")
            return []
        path = os.path.relpath(full, real)
        if path == "." or link.startswith(f"{path}/"):
            self._upward.append(f"{link} -> {target}")
            return []
        if not os.path.lexists(full):
            return []
        return [path, *(find_below(tree, path) if stat.S_ISDIR(os.lstat(full).st_mode) else ())]


def follow_links(tree: str, paths: list[str]) -> LinkTargets:
    """Follow the links among the outputs `paths` of the build `tree`, and those among their targets."""
    real = os.path.realpath(tree)
    targets, known = LinkTargets(), set(paths)
    pending = [path for path in paths if os.path.islink(os.path.join(tree, path))]
    while pending:
        for path in targets.look(tree, real, pending.pop()):
            if path not in known:
                known.add(path)
                targets.inside.add(path)
                if os.path.islink(os.path.join(tree, path)):
                    pending.append(path)
    return targets


def _resolve_folder(path: str) -> str:
    """Return `path` with all symlinks resolved except the last part."""
    path = path.rstrip("/") or "/"
    name = os.path.basename(path)
    if name in ("", ".", ".."):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), name)


def find_old(tree: str, paths: set[str], since: int) -> list[str]:
    """Return those of `paths`, except folders, that have not changed since the time `since` of `file_clock`."""
    return sorted(path for path in paths if _is_old(os.lstat(os.path.join(tree, path)), since))


def _is_old(status: os.stat_result, since: int) -> bool:
    return not stat.S_ISDIR(status.st_mode) and status.st_ctime_ns < since
