"""The sources of a commit, checked out apart from the project."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_ftc.builds.inputs.changes import names_commit
from pytest_ftc.builds.inputs.snapshot import git
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.support.git import run_git


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Path]:
    """Yield the folder of the project at `root` in a clone of its repository at `commit`, which is then removed.

    A branch is checked out as a branch, since builds can see which one it is.  Raises SourceError.
    """
    if not names_commit(root, commit):
        raise SourceError(f"{commit!r} is not a commit in the repository of {root}")
    below = os.fsdecode(git(root, "rev-parse", "--show-prefix")).rstrip("\n")
    top = os.fsdecode(git(root, "rev-parse", "--show-toplevel")).rstrip("\n")
    with tempfile.TemporaryDirectory(prefix="ftc-commit-") as folder:
        clone = Path(folder, "clone")
        _git(Path(folder), "clone", "--quiet", "--shared", "--no-checkout", "--", top, str(clone))
        _git(clone, "checkout", "--quiet", *_point(root, commit))
        if not (clone / below).is_dir():
            raise SourceError(f"commit {commit!r} has no folder {below!r}")
        yield (clone / below).resolve()


def _point(root: Path, commit: str) -> tuple[str, ...]:
    """Return the arguments that check out `commit`."""
    found = os.fsdecode(git(root, "rev-parse", "--verify", "--end-of-options", f"{commit}^{{commit}}")).strip()
    current = run_git(root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout if commit == "HEAD" else b""
    branch = os.fsdecode(current).strip() or commit
    is_branch = run_git(root, "show-ref", "--verify", "--quiet", f"refs/heads/{branch}").returncode == 0
    return ("-B", branch, found) if is_branch else ("--detach", found)


def _git(folder: Path, *arguments: str) -> None:
    done = run_git(folder, *arguments)
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise SourceError(f"git {arguments[0]} failed: {said[:300]}")
