"""A captured source tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An immutable copy of a source tree."""

    path: Path
    git_dir: Path | None
    """The repository's ``.git`` folder, to be shown beside the copy; None when there is none of its own."""
    git_link: Path | None
    """The folder that a ``.git`` file points into (worktrees, submodules)."""
    commit_time: int | None
    """Time of the last commit, seconds since 1970; None outside a repository."""
    order: str | None = None
    """Digest of the order in which its files were changed, empty where all have one time; None if not known."""
    notes: tuple[str, ...] = ()
