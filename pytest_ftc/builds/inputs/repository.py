"""What another machine needs of a git repository: its settings without those that may be secret, and its place."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pytest_ftc.builds.inputs.snapshot import git
from pytest_ftc.model.errors import SourceError

_NAMES = ("config", "config.worktree")
_WITHOUT_SETTINGS = frozenset({"objects", "refs", "logs", "hooks", "lfs"})
_KEPT = re.compile(
    r"core\.(repositoryformatversion|filemode|bare|symlinks|ignorecase|precomposeunicode|sparsecheckout.*|worktree)|"
    r"(extensions|branch|index)\..*|(remote|submodule)\..*\.(url|fetch|active|path|branch)|submodule\.active",
    re.DOTALL,
)
_USER = re.compile(r"(https?://)[^/]*@")
_PASSWORD = re.compile(r"(://[^/@:]*):[^/]*@")


def public_settings(folder: Path, *, linked: bool) -> dict[str, bytes]:
    """Return the files with settings below the repository `folder`, without credentials and commands, by their paths.

    One that is `linked` from a source tree elsewhere does not name the tree: that is where the link is.
    Raises SourceError.
    """
    found = {}
    for path in _settings_files(folder):
        top = path.parent == folder
        found[os.path.relpath(path, folder)] = "".join(
            _write(key, value)
            for key, value in _read(path)
            if _KEPT.fullmatch(key) and not (linked and top and key == "core.worktree")
        ).encode(errors="surrogateescape")
    return found


def measure(folder: Path) -> int:
    """Return how many bytes the files below `folder` have."""
    found = 0
    for inside, _, files in os.walk(folder):
        found += sum(os.lstat(os.path.join(inside, name)).st_size for name in files)  # noqa: PTH118
    return found


def move_link(source: Path, repository: Path, at: str) -> bytes:
    """Return the file ``.git`` of the tree `source`, which points into `repository`, for where that is `at` a path.

    See gitrepository-layout(5).  Raises SourceError for another link.
    """
    link = (source / ".git").read_text(errors="surrogateescape")
    below = os.path.relpath(link.removeprefix("gitdir:").strip(), os.path.realpath(repository))
    if not link.startswith("gitdir:") or Path(below).parts[:1] == (os.pardir,):
        raise SourceError("the file .git of the source does not point into its repository")
    return f"gitdir: {os.path.normpath(os.path.join(at, below))}\n".encode(errors="surrogateescape")  # noqa: PTH118


def _settings_files(folder: Path) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _WITHOUT_SETTINGS]
        yield from (Path(inside, name) for name in _NAMES if name in files)


def _read(path: Path) -> Iterator[tuple[str, str]]:
    listed = git(path.parent, "config", "--file", str(path), "--null", "--list")
    for entry in listed.split(b"\0")[:-1]:
        key, _, value = os.fsdecode(entry).partition("\n")
        yield key, value


def _write(key: str, value: str) -> str:
    """Return a setting as git-config(1) writes it."""
    section, _, rest = key.partition(".")
    subsection, _, name = rest.rpartition(".")
    value = _PASSWORD.sub(r"\1@", _USER.sub(r"\1", value))
    head = f"{section} {_quote(subsection)}" if subsection else section
    return f"[{head}]\n\t{name} = {_quote(value)}\n"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
