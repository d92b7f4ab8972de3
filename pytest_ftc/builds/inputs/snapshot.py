"""Capturing a source tree once, so that every build starts from the same bytes even if the project changes."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from pytest_ftc.builds.inputs.source_times import ONE_TIME, describe_order, settle_times
from pytest_ftc.builds.inputs.written_files import NONE, WrittenFiles
from pytest_ftc.builds.launcher.trees import copy_tree, list_folder, remove_tree
from pytest_ftc.model import Snapshot
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.support.full_disk import describe_full, is_full
from pytest_ftc.model.support.git import run_git

# Files that tools leave in a project without version control; none of them are source.
_CACHES = frozenset(
    {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".tox", ".nox", ".venv", ".coverage"}
)


class SnapshotCache:
    """Captures each source folder once per session; artifacts of one project share it."""

    def __init__(self, folder: Path, written: WrittenFiles = NONE) -> None:
        self._folder = folder
        self._written = written
        self._captured: dict[Path, Snapshot] = {}
        self._lock = threading.Lock()

    def capture(self, source: Path) -> Snapshot:
        """Return the snapshot of `source`.  Raises SourceError if it cannot be read, ExecutionError for a full disk."""
        with self._lock:
            if source not in self._captured:
                target = self._folder / str(len(self._captured))
                try:
                    target.mkdir(parents=True)
                    self._captured[source] = capture_source(source, target, self._written)
                except BaseException:
                    # The next artifact of this source tries again, and a full disk has its space back.
                    remove_tree(str(target))
                    raise
            return self._captured[source]


def capture_source(source: Path, target: Path, written: WrittenFiles = NONE) -> Snapshot:
    """Copy the tracked and the untracked, not ignored files below `source` to `target`; without git, the whole folder.

    Files that the session has `written` are omitted, unless git tracks them.
    Raises SourceError if a file cannot be read, and ExecutionError if there is no room for the copy.
    """
    notes: list[str] = []
    top, git_dir = find_repository(source, notes)
    try:
        if top is None:
            left_out = copy_tree(str(source), str(target), entries=written.without(source, without_caches))
        else:
            left_out = copy_tree(str(source), str(target), entries=entries_of(source, list_sources(source, written)))
        order = describe_order(target) if top is None or list_changed(source, written) else ONE_TIME
        settle_times(target, order)
        if git_dir and (source / ".git").is_file():
            (target / ".git").write_text(f"gitdir: {git_dir}\n")
    except OSError as error:
        if is_full(error):
            raise describe_full(error) from error
        raise SourceError(f"cannot read the source {error.filename}: {error.strerror}") from error
    notes += [f"{os.path.relpath(path, source)} is a socket or device file and was omitted" for path in left_out]
    return Snapshot(
        path=target,
        git_dir=git_dir if git_dir and (source / ".git").is_dir() else None,
        git_link=_common_dir(source) if git_dir and (source / ".git").is_file() else None,
        commit_time=commit_time(source) if top else None,
        notes=tuple(notes),
        order=order,
    )


def list_changed(source: Path, written: WrittenFiles = NONE) -> list[str]:
    """Return the files below `source` that are modified, or neither tracked nor ignored, including submodules."""
    modified = _names(git(source, "ls-files", "-z", "--modified"))
    submodules = list_submodules(source)
    changed = (modified | _list_untracked(source, written)) - set(submodules)
    for submodule in submodules:
        if (source / submodule / ".git").exists():
            changed.update(f"{submodule}/{path}" for path in list_changed(source / submodule, written))
    return sorted(changed)


def _list_untracked(source: Path, written: WrittenFiles) -> set[str]:
    untracked = _names(git(source, "ls-files", "-z", "--others", "--exclude-standard"))
    return set(written.leave_out(source, untracked))


def _names(listed: bytes) -> set[str]:
    return {os.fsdecode(name).rstrip("/") for name in listed.split(b"\0") if name}


def list_submodules(source: Path) -> list[str]:
    """Return the paths of the submodules below `source`, whether checked out or not."""
    links = git(source, "ls-files", "-z", "--stage")
    return [os.fsdecode(line.split(b"\t", 1)[1]) for line in links.split(b"\0") if line.startswith(b"160000 ")]


def list_sources(source: Path, written: WrittenFiles = NONE) -> list[str]:
    """Return the tracked and the untracked, not ignored files below `source`, including submodules."""
    listed = _names(git(source, "ls-files", "-z", "--cached"))
    submodules = list_submodules(source)
    paths = (listed | _list_untracked(source, written)) - set(submodules)
    for submodule in submodules:
        if (source / submodule / ".git").exists():
            paths.update(f"{submodule}/{path}" for path in list_sources(source / submodule, written))
    return sorted(path for path in paths if os.path.lexists(source / path))


def find_repository(source: Path, notes: list[str]) -> tuple[Path | None, Path | None]:
    """Return the top of the repository that contains `source`, and its git folder if `source` is the top."""
    try:
        answer = git(source, "rev-parse", "--show-toplevel", "--absolute-git-dir")
    except SourceError as error:
        if "not a git repository" not in str(error) and (source / ".git").exists():
            notes.append(f"the whole folder was copied, including ignored files: {error}")
        return None, None
    top, git_dir = (Path(os.fsdecode(line)) for line in answer.splitlines()[:2])
    if top.resolve() == source.resolve():
        return top, git_dir
    if run_git(source, "check-ignore", "-q", ".").returncode == 0:
        return None, None
    return top, None


def git(folder: Path, *arguments: str, given: bytes = b"", fine: Collection[int] = (0,)) -> bytes:
    """Return the output of git in `folder`, with the standard input `given`.

    Raises SourceError if its exit status is not among those that are `fine`.
    """
    try:
        done = run_git(folder, *arguments, given=given)
    except FileNotFoundError:
        raise SourceError("git is not installed") from None
    if done.returncode not in fine:
        raise SourceError(done.stderr.decode(errors="replace").strip().splitlines()[0] or "git failed")
    return done.stdout


def _common_dir(source: Path) -> Path:
    answer = git(source, "rev-parse", "--git-common-dir")
    return (source / os.fsdecode(answer).rstrip("\n")).resolve()


def commit_time(source: Path) -> int | None:
    """Return the time of the last commit, in seconds since 1970; None if there is none."""
    try:
        return int(git(source, "log", "-1", "--format=%ct"))
    except (SourceError, ValueError):
        return None


def commit_of_sources(source: Path) -> int | None:
    """Return the commit time that builds of `source` get; None also where its repository ignores the folder."""
    return commit_time(source) if find_repository(source, [])[0] else None


def entries_of(source: Path, paths: Iterable[str]) -> Callable[[str], list[str]]:
    """Return a function that lists a folder below `source` as if it contained only `paths`."""
    names: dict[str, dict[str, None]] = defaultdict(dict)
    for path in paths:
        while path:
            parent, _, name = path.rpartition("/")
            names[parent][name] = None
            path = parent
    start = len(str(source).rstrip("/")) + 1

    def entries(folder: str) -> list[str]:
        return list(names[folder[start:]])

    return entries


def without_caches(folder: str) -> list[str]:
    """List a folder without version control."""
    return [name for name in list_folder(folder) if name not in _CACHES]
