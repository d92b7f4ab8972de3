"""Collecting the outputs of a build tree: a manifest, and the contents by their SHA-256."""

from __future__ import annotations

import os
import stat

from pytest_ftc.builds.launcher.collecting.output_links import find_old, follow_links
from pytest_ftc.builds.launcher.collecting.wording import name_some
from pytest_ftc.builds.launcher.globs import find_matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_ftc.builds.launcher.collecting.blobs import Blobs


Traces = dict[str, tuple[int, int]]


class OutputsError(Exception):
    """The outputs cannot be compared; the message says which and why."""


def trace_files(tree: str, patterns: list[str]) -> Traces:
    """Return inode and change time of everything the `patterns` match, to find out later what a build has touched.

    A build can set the modification time (utimensat(2)), but not the change time, see inode(7).
    """
    traces = {}
    for path in find_matches(tree, patterns):
        status = os.lstat(os.path.join(tree, path))
        traces[path] = (status.st_ino, status.st_ctime_ns)
    return traces


def collect_outputs(
    tree: str, patterns: list[str], blobs: Blobs, before: Traces, since: int = 0, notes: list[str] | None = None
) -> list[dict[str, Any]]:
    """Copy all matches of the `patterns` to `blobs` and return their manifest, sorted by path.

    What a link leads to in the tree is an output too.  `since` is when the build began, by the clock of files; what is
    not compared is added to `notes`.  Raises OutputsError when a pattern matches nothing, when a file or symlink was
    there `before` and the build did not touch it, or when a match is neither file, folder nor symlink; TooLargeError.
    """
    for pattern in patterns:
        if not find_matches(tree, [pattern]):
            raise OutputsError(f"the build left nothing that matches {pattern!r}{_describe_made(tree, since)}")
    paths = find_matches(tree, patterns)
    targets = follow_links(tree, paths)
    if stale := _find_untouched(tree, patterns, before) + find_old(tree, targets.inside, since):
        raise OutputsError(_describe_untouched(stale))
    if notes is not None:
        notes += targets.notes()
    return [_take(tree, path, blobs) for path in sorted({*paths, *targets.inside})]


def _find_untouched(tree: str, patterns: list[str], before: Traces) -> list[str]:
    """Return what existed `before` and is unchanged; folders count only if nothing else has changed either."""
    if not before:
        return []
    now = trace_files(tree, patterns)
    same = [path for path, trace in before.items() if now.get(path) == trace]
    files = [path for path in same if not stat.S_ISDIR(os.lstat(os.path.join(tree, path)).st_mode)]
    return sorted(files) or (same if now == before else [])


def _describe_made(tree: str, since: int) -> str:
    """Return what the build did leave in the tree; empty if it is unknown when the build began."""
    if not since:
        return ""
    paths = find_matches(tree, ["*"])
    old = set(find_old(tree, set(paths), since))
    made = [repr(path) for path in paths if path not in old and not _is_folder(tree, path)]
    return f"; it left {name_some(made)}" if made else "; it left no file at all"


def _is_folder(tree: str, path: str) -> bool:
    return stat.S_ISDIR(os.lstat(os.path.join(tree, path)).st_mode)


def _describe_untouched(paths: list[str]) -> str:
    named = name_some([*map(repr, paths)])
    one = len(paths) == 1
    return (
        f"{'an output was' if one else f'{len(paths)} outputs were'} in the source tree already, "
        f"and the build did not touch {'it' if one else 'them'}: {named}"
    )


def _take(tree: str, path: str, blobs: Blobs) -> dict[str, Any]:
    full = os.path.join(tree, path)
    status = os.lstat(full)
    blobs.check_time(path, status.st_size)
    entry: dict[str, Any] = {"path": path, "mode": f"{stat.S_IMODE(status.st_mode):04o}"}
    if stat.S_ISREG(status.st_mode):
        digest, size = blobs.keep(tree, path, status)
        return {**entry, "type": "file", "size": size, "sha256": digest}
    if stat.S_ISDIR(status.st_mode):
        return {**entry, "type": "dir"}
    if stat.S_ISLNK(status.st_mode):
        return {**entry, "type": "symlink", "target": os.readlink(full)}
    raise OutputsError(f"the output {path!r} is a {_kind(status.st_mode)}; outputs are files, folders and symlinks")


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "FIFO"
    return "socket" if stat.S_ISSOCK(mode) else "device file"
