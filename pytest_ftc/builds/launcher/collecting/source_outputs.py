"""Outputs that are unchanged sources: the build did not write their content, but moved, touched or only opened them."""

from __future__ import annotations

import hashlib
import os
import stat

from pytest_ftc.builds.launcher.collecting.wording import name_some
from pytest_ftc.builds.launcher.trees import moved_time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pytest_ftc.builds.launcher.collecting.outputs import Traces
    from pytest_ftc.builds.launcher.tracing.rewrites import Rewrites

    Entry = dict[str, Any]

_CHUNK = 1 << 20


class SourceOutputs:
    """Compares outputs with the files at the same paths in the folder `snapshot`, of which builds see shifted times."""

    def __init__(self, snapshot: str, mtime_shift: int = 0) -> None:
        # A descriptor, because the build's root hides the folder.
        self._folder = os.open(snapshot, os.O_RDONLY | os.O_DIRECTORY)
        self._shift = mtime_shift
        self.unwritten: list[str] = []
        """Outputs that the build did not write."""
        self.doubtful: list[str] = []
        """Outputs for which that is unknown, because the build was not traced."""

    def compare(self, tree: str, entries: list[Entry], rewrites: Rewrites | None, before: Traces) -> None:
        """Compare the files and links among `entries`, the manifest of the outputs in `tree`."""
        for entry in entries:
            if entry["type"] != "dir":
                inode = before.get(entry["path"], (0, 0))[0]
                self._compare(os.path.join(tree, entry["path"]), entry, rewrites, inode)

    def _compare(self, full: str, entry: Entry, rewrites: Rewrites | None, inode: int) -> None:
        try:
            source = os.stat(entry["path"], dir_fd=self._folder, follow_symlinks=False)
            now = os.lstat(full)
        except OSError:
            return
        if stat.S_IFMT(source.st_mode) != stat.S_IFMT(now.st_mode):
            return
        earlier = moved_time(source.st_mtime_ns, self._shift)
        if rewrites:
            found = self._find_traced(full, now, earlier, rewrites)
        else:
            found = self._find_untraced(now, earlier, inode)
        if found is not None and self._is_same(entry, source):
            found.append(entry["path"])

    def _find_traced(self, full: str, now: os.stat_result, before: int, rewrites: Rewrites) -> list[str] | None:
        """Return the list for a file that has the content of its source, and which had the time `before`.

        None if it was written: a copy may have been given the time of its source (``cp -p``).
        """
        if rewrites.made(full, now):
            return None
        unchanged = now.st_mtime_ns == before
        return self.unwritten if unchanged or rewrites.only_set_time(now, before) else None

    def _find_untraced(self, now: os.stat_result, before: int, inode: int) -> list[str] | None:
        """Return the same by the times alone; another file than that with this `inode` may have been given its time."""
        if now.st_mtime_ns == before:
            return self.unwritten if now.st_ino == inode else self.doubtful
        # A write sets the modification time alone, and touch(1) both, see utimensat(2).
        return self.doubtful if now.st_atime_ns == now.st_mtime_ns else None

    def _is_same(self, entry: Entry, source: os.stat_result) -> bool:
        if entry["type"] == "symlink":
            return bool(entry["target"] == os.readlink(entry["path"], dir_fd=self._folder))
        if entry["size"] != source.st_size:
            return False
        digest = hashlib.sha256()
        try:
            with open(entry["path"], "rb", opener=self._open) as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
        except OSError:
            return False
        return bool(digest.hexdigest() == entry["sha256"])

    def _open(self, path: str, flags: int) -> int:
        return os.open(path, flags | os.O_NOFOLLOW, dir_fd=self._folder)


def describe_unwritten(paths: list[str]) -> str:
    """Return the reason for the failure of a build with these outputs."""
    one = len(paths) == 1
    return (
        f"{'an output is a source file' if one else f'{len(paths)} outputs are source files'} whose content the build "
        f"did not write: {name_some([*map(repr, paths)])}"
    )


def describe_doubtful(paths: list[str]) -> str:
    """Return a note on outputs for which it is unknown whether the build wrote them."""
    return (
        "whether the build wrote these outputs or only set their times is unknown, because it could not be traced: "
        f"{name_some([*map(repr, paths)])}"
    )
