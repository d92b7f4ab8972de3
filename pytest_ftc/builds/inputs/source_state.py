"""The current state of the sources, without a copy: their digest, and the visible state of their repository."""

from __future__ import annotations

import bisect
import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_ftc.builds.inputs.merkle import digest_folder
from pytest_ftc.builds.inputs.snapshot import (
    commit_time,
    entries_of,
    find_repository,
    git,
    list_changed,
    list_sources,
    without_caches,
)
from pytest_ftc.builds.inputs.source_times import ONE_TIME, describe_order
from pytest_ftc.builds.inputs.written_files import NONE, WrittenFiles
from pytest_ftc.model import Snapshot
from pytest_ftc.model.errors import SourceError

_GIT_FILES = (
    "HEAD", "FETCH_HEAD", "MERGE_HEAD", "ORIG_HEAD", "config", "config.worktree", "description", "info/attributes",
    "info/exclude", "info/sparse-checkout", "logs/HEAD", "logs/refs/stash", "shallow",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """The state from which builds of a source tree start."""

    digest: str
    """Digest of the tree, see `digest_folder`."""
    repository: str
    """The part of its repository that builds see, as text; empty if none."""
    commit_time: int | None
    """Time of the last commit, in seconds since 1970; None outside a repository."""
    order: str = ONE_TIME
    """Digest of the order in which its files were changed, see `source_times`."""
    files: Mapping[str, str] = field(default_factory=dict, compare=False)
    """A token for each file, which changes with the file."""


class Sources:
    """Determines the state of sources, all below `root` with one call of git, and of captures; each only once."""

    def __init__(self, root: Path, sources: Iterable[Path], written: WrittenFiles = NONE) -> None:
        self._written = written
        self._root = root.resolve()
        self._asked = sorted({source for source in sources if self._root in source.parents})
        self._listed: list[str] | None = None
        self._changed: list[str] = []
        self._ignored: set[Path] = set()
        self._commit_time: int | None = None
        self._known: dict[Path, SourceState] = {}
        self._captured: dict[Path, str] = {}
        self._lock = threading.Lock()

    def state(self, source: Path) -> SourceState:
        """Return the state of `source`.  Raises SourceError if it cannot be read."""
        with self._lock:
            if source not in self._known:
                self._known[source] = self._look(source)
            return self._known[source]

    def digest(self, snapshot: Snapshot) -> str:
        """Return the digest of a capture.  Raises SourceError if it cannot be read."""
        with self._lock:
            if snapshot.path not in self._captured:
                self._captured[snapshot.path] = digest_capture(snapshot)
            return self._captured[snapshot.path]

    def is_still(self, state: SourceState, source: Path, snapshot: Snapshot) -> bool:
        """Return whether `snapshot` captured `source` in that `state`, and its repository is still in that state."""
        digest = self.digest(snapshot)
        repository = describe_repository(source) if snapshot.git_dir or snapshot.git_link else ""
        order = state.order if snapshot.order is None else snapshot.order
        commit_time = snapshot.commit_time
        return state == SourceState(digest=digest, repository=repository, commit_time=commit_time, order=order)

    def _look(self, source: Path) -> SourceState:
        if source in self._asked and self._list() and not self._has_own_repository(source):
            paths = self._below(source, self._listed)
            if paths and source not in self._ignored:
                entries = entries_of(source, paths)
                files: dict[str, str] = {}
                return SourceState(
                    digest=str(digest_folder(str(source), entries, found=files)),
                    files=files,
                    repository="",
                    commit_time=self._commit_time,
                    order=_order(source, entries) if self._below(source, self._changed) else ONE_TIME,
                )
        return look_at(source, self._written)

    def _list(self) -> bool:
        """List the files that git knows below the root, once; return whether there are any."""
        if self._listed is None:
            top, _ = find_repository(self._root, [])
            self._listed = list_sources(self._root, self._written) if top else []
            if self._listed:
                self._changed = list_changed(self._root, self._written)
                self._commit_time = commit_time(self._root)
                self._ignored = _ignored(self._root, self._asked)
        return bool(self._listed)

    def _below(self, source: Path, paths: list[str] | None) -> list[str]:
        """Return the sorted `paths` that are below `source`, relative to it."""
        assert paths is not None
        prefix = f"{source.relative_to(self._root)}/"
        first = bisect.bisect_left(paths, prefix)
        end = bisect.bisect_left(paths, f"{prefix[:-1]}0")  # the character after the slash
        return [path[len(prefix) :] for path in paths[first:end]]

    def _has_own_repository(self, source: Path) -> bool:
        between = [source, *(folder for folder in source.parents if self._root in folder.parents)]
        return any(os.path.lexists(folder / ".git") for folder in between)


def look_at(source: Path, written: WrittenFiles = NONE) -> SourceState:
    """Return the state that a capture of `source` would have.  Raises SourceError."""
    top, git_dir = find_repository(source, [])
    files: dict[str, str] = {}
    if top is None:
        entries = written.without(source, without_caches)
        digest = str(digest_folder(str(source), entries, found=files))
        order = _order(source, entries)
        return SourceState(digest=digest, repository="", commit_time=None, order=order, files=files)
    entries = entries_of(source, list_sources(source, written))
    return SourceState(
        digest=str(digest_folder(str(source), entries, found=files)),
        files=files,
        repository=describe_repository(source) if git_dir else "",
        commit_time=commit_time(source),
        order=_order(source, entries) if list_changed(source, written) else ONE_TIME,
    )


def _order(source: Path, entries: Callable[[str], Iterable[str]]) -> str:
    try:
        return describe_order(source, entries)
    except OSError as error:
        raise SourceError(f"cannot read the source {error.filename}: {error.strerror}") from error


def digest_capture(snapshot: Snapshot) -> str:
    """Return the digest of what was captured.  Raises SourceError when it cannot be read."""
    return str(digest_folder(str(snapshot.path), skip=".git" if snapshot.git_link else ""))


def describe_repository(source: Path) -> str:
    """Return the state from which tools derive a version or a list of files: commit, branch, tags and index."""
    try:
        head = git(source, "rev-parse", "--is-shallow-repository", "HEAD", "--symbolic-full-name", "HEAD")
    except SourceError:
        head = b"no commit\n"
    tags = git(source, "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags")
    index = hashlib.sha256(git(source, "ls-files", "-z", "--stage")).hexdigest()
    return (head + tags).decode("utf-8", "surrogateescape") + index


def digest_repository(source: Path) -> str:
    """Return a digest of everything in the repository of `source` on which git's output depends, except its objects."""
    hashed = hashlib.sha256(git(source, "for-each-ref", "--format=%(objectname) %(refname) %(symref)"))
    for place in git(source, "rev-parse", "--absolute-git-dir", "--git-common-dir").splitlines():
        folder = source / os.fsdecode(place)
        for name in _GIT_FILES:
            with contextlib.suppress(OSError):
                hashed.update(name.encode() + b"\0" + hashlib.sha256((folder / name).read_bytes()).digest())
    return hashed.hexdigest()


def current_commit(source: Path) -> str:
    """Return the commit checked out at `source`; empty outside a repository."""
    try:
        return git(source, "rev-parse", "HEAD").decode("ascii", "replace").strip()
    except SourceError:
        return ""


def _ignored(root: Path, sources: Iterable[Path]) -> set[Path]:
    names = b"".join(os.fsencode(source.relative_to(root)) + b"\0" for source in sources)
    if not names:
        return set()
    answer = git(root, "check-ignore", "-z", "--stdin", given=names, fine=(0, 1))
    return {root / os.fsdecode(name) for name in answer.split(b"\0") if name}
