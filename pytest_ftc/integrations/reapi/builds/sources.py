"""The trees that the worker of a build is given: the source, its repository, and what else the build sees."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from pytest_ftc.builds.inputs.repository import measure, move_link, public_settings
from pytest_ftc.builds.worker_request import GIT, MODES, SOURCE, describe_entry, listing_of
from pytest_ftc.integrations.reapi.merkle import Entry, list_entries
from pytest_ftc.model import Action
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import ExecutionError

_REPOSITORY = "ftc-repository"
_LARGEST_REPOSITORY = 1 << 30
"""Bytes of a repository outside the source tree, as those of worktrees are, which may be shared by many of them."""


class Sources:
    """The entries of trees; each is read once, since many builds start from it."""

    def __init__(self) -> None:
        self._folder = cache(_describe_folder)
        self._repository = cache(_describe_repository)
        self._link = cache(move_link)

    def entries(self, action: Action) -> list[Entry]:
        """Return what a worker needs of the source tree of `action` and of its repository.

        Raises SourceError and ExecutionError.
        """
        entries = [*self._folder(action.snapshot, SOURCE, MODES)]
        if action.git_dir:
            entries += self._repository(action.git_dir, GIT, linked=False)
        if not action.git_link:
            return entries
        link = self._link(action.snapshot, action.git_link, _place(action))
        return _change(entries, SOURCE, MODES, {".git": link})

    def shown(self, action: Action) -> tuple[dict[str, str], list[Entry]]:
        """Return the folders that `action` sees at other paths, by those paths, and what a worker needs of them.

        Raises SourceError and ExecutionError.
        """
        folders = [*action.shown.items(), *([(_place(action), action.git_link)] if action.git_link else [])]
        names, entries = {}, []
        for number, (path, folder) in enumerate(sorted(folders)):
            names[path] = name = f"shown-{number}"
            if folder == action.git_link:
                entries += self._repository(folder, name, linked=True)
            else:
                entries += self._folder(folder, name, listing_of(name))
        return names, entries


def _place(action: Action) -> str:
    """Return the path at which the build sees the repository that its source tree points into."""
    return f"{action.root or ''}/{_REPOSITORY}"


def _describe_folder(folder: Path, name: str, listing: str) -> list[Entry]:
    """Return the entries of `folder` with another `name`, and the file `listing` with what a farm does not keep."""
    modes: dict[str, tuple[int, int, str]] = {}
    entries = list(list_entries(folder, prefix=name))
    for entry in entries:
        relative = os.path.relpath(entry.path, name)
        status = os.lstat(folder / relative)
        modes[relative] = (status.st_mode & 0o7777, status.st_mtime_ns, _what(entry))
    return [*entries, _list(listing, modes)]


def _describe_repository(folder: Path, name: str, *, linked: bool) -> list[Entry]:
    """Return the entries of the repository `folder`, which is in the source tree or `linked` from there."""
    if linked and measure(folder) > _LARGEST_REPOSITORY:
        raise ExecutionError(
            f"it cannot be built on a farm: the repository of its worktree or submodule, {folder}, "
            f"has more than {_LARGEST_REPOSITORY >> 20} MiB",
            advice="Build it with --ftc-executor=local, or in a shallow clone.",
        )
    listing = listing_of(name)
    return _change(_describe_folder(folder, name, listing), name, listing, public_settings(folder, linked=linked))


def _change(entries: list[Entry], name: str, listing: str, contents: Mapping[str, bytes]) -> list[Entry]:
    """Return `entries` with other `contents` of files in the folder `name`, by their paths there."""
    changed = {f"{name}/{path}": data for path, data in contents.items()}
    listed = next(entry.content for entry in entries if entry.path == listing)
    assert isinstance(listed, bytes), "a list is made in memory"
    modes = json.loads(listed)
    found = []
    for entry in entries:
        if entry.path in changed:
            data = changed[entry.path]
            entry = replace(entry, digest=Digest.of(data), content=data)
            relative = os.path.relpath(entry.path, name)
            modes[relative] = [*modes[relative][:2], _what(entry)]
        if entry.path != listing:
            found.append(entry)
    return [*found, _list(listing, modes)]


def _list(listing: str, modes: Mapping[str, object]) -> Entry:
    return Entry.of(listing, json.dumps(modes, sort_keys=True).encode())


def _what(entry: Entry) -> str:
    return describe_entry(entry.digest.hash if entry.digest else "", entry.target)
