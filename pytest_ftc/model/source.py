"""A captured source tree."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An immutable copy of a source tree."""

    path: Path
    git_dir: Path | None
    """The repository's ``.git`` folder, to be mounted into the copy; None if it has none of its own."""
    git_link: Path | None
    """The folder that a ``.git`` file points into (worktrees, submodules)."""
    commit_time: int | None
    """Time of the last commit, seconds since 1970; None outside a repository."""
    order: str | None = None
    """Digest of the order of its files' modification times, empty if all are equal; None if unknown."""
    notes: tuple[str, ...] = ()
