"""Finds the folders below a project that have a configuration of their own."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import find_repository, git
from pytest_ftc.builds.inputs.written_files import WrittenFiles
from pytest_ftc.builds.launcher.globs import may_match
from pytest_ftc.model.errors import ConfigurationError, SourceError

_NAMES = ("pyproject.toml", "ftc.toml")
# What installers and builds leave.  Pytest does not look for tests there either.
_NOT_SEARCHED = frozenset({"build", "dist", "ftc-report", "node_modules", "site-packages", "venv", "__pycache__"})
_MOST_FOLDERS = 100_000
"""Most folders that are looked into where there is no git to ask."""
_MOST_FILES = 10_000
"""Most files that are read."""
_LARGEST = 1_000_000
"""Most bytes of one of them."""


def find_configured(root: Path, discover: bool | tuple[str, ...], left_out: WrittenFiles) -> list[str]:
    """Return the folders below `root`, relative to it and sorted, whose pyproject.toml or ftc.toml configures us.

    All are searched, or those that match globs of `discover`, with what is in them.

    Not searched are what git ignores, submodules, hidden folders, virtual environments, and those that are named as
    what builds and installers leave, or that the session itself writes (`left_out`).  A pyproject.toml that does not
    mention ``ftc`` is not even parsed.  Raises ConfigurationError if there are too many, or one is too large.
    """
    found = sorted(
        left_out.leave_out(root, (path for path in _list_files(root, _NAMES) if _is_searched(path, discover)))
    )
    if len(found) > _MOST_FILES:
        raise ConfigurationError(
            f"discover: expected at most {_MOST_FILES:,} files named {' or '.join(_NAMES)} below {root}, found more; "
            "name folders, such as discover = ['libs/*']"
        )
    return sorted({path.rpartition("/")[0] for path in found if _configures(root, path)})


def find_projects(root: Path, markers: Collection[str]) -> list[str]:
    """Return the folders below `root`, relative to it and sorted, that have a file named as one of `markers`.

    What is below such a folder is part of it.  Raises ConfigurationError if there are too many folders.
    """
    paths = (path for path in _list_files(root, markers) if _is_searched(path, discover=True))
    found: list[str] = []
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        if not any(folder.startswith(f"{one}/") for one in found):
            found.append(folder)
    return found


def _list_files(root: Path, names: Collection[str]) -> Iterable[str]:
    """Return the paths of files with these `names` below `root`, relative to it, that git does not ignore."""
    if find_repository(root, [])[0] is None:
        return _walk(root, names)
    try:
        globs = [f":(glob)**/{name}" for name in names]
        listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *globs)
    except SourceError as error:
        raise ConfigurationError(f"discover: {error}") from None
    paths = {os.fsdecode(name) for name in listed.split(b"\0") if name}
    return [path for path in paths if os.path.lexists(root / path)]


def _walk(root: Path, names: Collection[str]) -> Iterator[str]:
    pending, seen = [""], 0
    while pending:
        folder = pending.pop()
        seen += 1
        if seen > _MOST_FOLDERS:
            raise ConfigurationError(
                f"discover: expected at most {_MOST_FOLDERS:,} folders below {root}, found more; "
                "put the project under git, which is asked then"
            )
        for entry in _entries(root / folder):
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if _is_named_well(entry.name) and not os.path.lexists(f"{entry.path}/pyvenv.cfg"):
                    pending.append(path)
            elif entry.name in names:
                yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        # What its user cannot read is none of the project.
        return []


def _is_searched(path: str, discover: bool | tuple[str, ...]) -> bool:
    folder = path.rpartition("/")[0]
    if not folder or not all(map(_is_named_well, folder.split("/"))):
        return False
    return discover is True or any(may_match(folder, glob) for glob in discover or ())


def _is_named_well(name: str) -> bool:
    return not name.startswith(".") and name not in _NOT_SEARCHED


def _configures(root: Path, path: str) -> bool:
    """Return whether the file at `path` is an ftc.toml, or can be read and mentions us."""
    if path.endswith("/ftc.toml"):
        return True
    try:
        with open(root / path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError:
        return False
    if len(content) > _LARGEST:
        raise ConfigurationError(f"{path}: expected at most {_LARGEST:,} bytes, found more")
    return b"ftc" in content
