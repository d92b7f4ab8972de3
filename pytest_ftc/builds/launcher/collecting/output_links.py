"""Outputs that are links: what they lead to in the build tree is an output too, and what is not compared is named."""

from __future__ import annotations

import os
import stat
import sys
import time

from pytest_ftc.builds.launcher.globs import find_below

_REALTIME_COARSE = 5
"""The clock of file times, see clock_gettime(2); Python does not name it."""
_MOST_NAMED = 3


def file_clock() -> int:
    """Return the time, in nanoseconds since 1970, that a file changed now has at least."""
    if sys.platform == "linux":
        return time.clock_gettime_ns(_REALTIME_COARSE)
    return time.time_ns() - 1_000_000_000


class LinkTargets:
    """What the links among the outputs of a build lead to."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        """Paths in the tree that are no outputs themselves, folders with all their contents."""
        self._leaving: list[str] = []
        self._upward: list[str] = []

    def notes(self) -> list[str]:
        """Return what is not compared, a sentence each."""
        kinds = (
            (self._leaving, "leaves the build tree; what it leads to is not compared"),
            (self._upward, "leads to a folder that it lies in; only what is declared there is compared"),
        )
        return [f"an output that is a link {what}: {_name_some(links)}" for links, what in kinds if links]

    def look(self, tree: str, real: str, link: str) -> list[str]:
        """Return the next link on the way from `link`, or what is at its end; `real` is the path of `tree`."""
        target = os.readlink(os.path.join(tree, link))
        # Not all of the way at once: each link on it is an output of its own.
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
    """Follow the links among the outputs `paths` of the build `tree`, and those among what they lead to."""
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
    """Return `path` without links, but for the last part."""
    path = path.rstrip("/")
    name = os.path.basename(path)
    if name in ("", ".", ".."):
        return os.path.realpath(path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), name)


def find_old(tree: str, paths: set[str], since: int) -> list[str]:
    """Return those of `paths`, folders left out, that nobody has changed since the moment `since` of `file_clock`."""
    return sorted(path for path in paths if _is_old(os.lstat(os.path.join(tree, path)), since))


def _is_old(status: os.stat_result, since: int) -> bool:
    return not stat.S_ISDIR(status.st_mode) and status.st_ctime_ns < since


def _name_some(links: list[str]) -> str:
    return ", ".join(sorted(links)[:_MOST_NAMED]) + ", ..." * (len(links) > _MOST_NAMED)
