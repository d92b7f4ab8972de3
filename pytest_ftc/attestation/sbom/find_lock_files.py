"""Finds the files of a source tree that declare dependencies.  Every session imports this, so it imports little."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

_MOST_FILES = 1000
"""Of one source tree; further ones are not recorded."""
_SKIPPED = frozenset({".git", "node_modules"})
_NAMES = re.compile(
    r"pyproject\.toml|pylock(\.[^.]+)?\.toml|package-lock\.json|npm-shrinkwrap\.json|Cargo\.lock|go\.mod|go\.sum"
)


def find_lock_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of each file below `folder` that declares dependencies, by path; empty for a symbolic link.

    Links are not followed.  Raises OSError.
    """
    found: dict[str, str] = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED)
        for name in sorted(files):
            path = Path(parent, name)
            if not _NAMES.fullmatch(name):
                continue
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
                if len(found) == _MOST_FILES:
                    return found
                found[path.relative_to(folder).as_posix()] = _digest(path) if stat.S_ISREG(mode) else ""
    return found


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
    return digest.hexdigest()
