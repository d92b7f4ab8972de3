"""Changes since another commit, according to git, without a build."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import git
from pytest_ftc.model.errors import SourceError


def names_commit(root: Path, name: str) -> bool:
    """Return whether `name` is a commit in the repository of `root`; a shallow clone has few."""
    try:
        git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except (SourceError, IndexError):
        return False
    return True


def changed_sources(root: Path, since: str, sources: Iterable[Path]) -> frozenset[Path]:
    """Return those of `sources` that differ from the merge base with the commit `since`.

    Uncommitted changes count, and so do untracked files that are not ignored.  Raises SourceError, also if `since` is
    not a commit.
    """
    if not names_commit(root, since):
        raise SourceError(f"{since!r} is not a commit in the repository of {root}")
    try:
        base = os.fsdecode(git(root, "merge-base", since, "HEAD")).strip()
    except (SourceError, IndexError):
        base = since  # a shallow clone may not contain the merge base
    top = Path(os.fsdecode(git(root, "rev-parse", "--show-toplevel")).rstrip("\n"))
    changed = git(top, "diff", "--name-only", "-z", "--no-ext-diff", "--no-renames", base)
    untracked = git(top, "ls-files", "-z", "--others", "--exclude-standard")
    paths = {top / os.fsdecode(name) for name in (changed + untracked).split(b"\0") if name}
    folders = {folder for path in paths for folder in (path, *path.parents)}
    resolved = ((source, source.resolve()) for source in sources)
    # A source may be in a submodule; for those, git prints only the folder.
    return frozenset(source for source, real in resolved if real in folders or not paths.isdisjoint(real.parents))
