"""Input roots and output folders as lists of entries, their names checked and their number bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_ftc.integrations.audit.contents import Contents, Fault, FaultKind, FaultsError
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten

MOST_ENTRIES = 200_000
MOST_DEPTH = 200
_LONGEST_NAME = 255
"""Bytes, as on most file systems."""
_LONGEST_TARGET = 4095


class UnfitError(Exception):
    """A message breaks the rules of the specification, or our limits; the message says how."""


@dataclass(frozen=True, slots=True)
class _Folder:
    path: str
    digest: Digest


async def fetch_tree(contents: Contents, root: Digest) -> list[Entry]:
    """Return everything below the ``Directory`` with the digest `root`.

    Raises FaultsError, UnfitError, TransientError, CancelledError.
    """
    known: dict[Digest, Any] = {}
    entries: list[Entry] = []
    level = [_Folder("", root)]
    for _ in range(MOST_DEPTH):
        names = {folder.digest: f"the input folder {folder.path or '.'}" for folder in level}
        for digest, data in (await contents.read_all(names.keys() - known.keys(), names)).items():
            known[digest] = parse("Directory", data, names[digest], digest)
        level = [below for folder in level for below in _expand(folder.path, known[folder.digest], entries)]
        if not level:
            return entries
    raise UnfitError(f"the input tree has more than {MOST_DEPTH} levels")


def expand_tree(path: str, tree: Any) -> list[Entry]:
    """Return the entries of the output folder `path`, itself included, that the message ``Tree`` describes.

    Raises UnfitError, also if a child is missing.
    """
    children = {Digest.of(raw): message for raw, message in _children(tree)}
    entries = [Entry(path)] if path else []
    level = [(path, tree.root)]
    for _ in range(MOST_DEPTH):
        below = [folder for name, message in level for folder in _expand(name, message, entries)]
        for folder in below:
            if folder.digest not in children:
                raise UnfitError(f"the tree of {shorten(path)} lacks its folder {shorten(folder.path)}")
        level = [(folder.path, children[folder.digest]) for folder in below]
        if not level:
            return entries
    raise UnfitError(f"the tree of {shorten(path)} has more than {MOST_DEPTH} levels")


def parse(kind: str, data: bytes, what: str, digest: Digest) -> Any:
    """Return the message `kind` in `data`.  Raises FaultsError if it is none."""
    message = api.parse(getattr(api, kind), data)
    if message is None:
        raise FaultsError([Fault(FaultKind.UNREADABLE, what, digest, f"it is no message {kind}")])
    return message


def check_path(path: str) -> str:
    """Return `path`, relative and without surprises.  Raises UnfitError."""
    for part in path.split("/"):
        _check_name(part, path)
    return path


def digest_of(message: Any) -> Digest:
    """Return the digest that `message` holds.  Raises UnfitError."""
    try:
        return api.to_digest(message)
    except RemoteError as error:
        raise UnfitError(error.message) from None


def _children(tree: Any) -> Iterator[tuple[bytes, Any]]:
    for child in tree.children:
        # Serialized again: what is canonical, and its digest known, is the same bytes.
        yield api.serialize(child), child


def _expand(path: str, directory: Any, entries: list[Entry]) -> list[_Folder]:
    """Add what is directly in `directory` to `entries`, and return the folders in it."""
    taken: set[str] = set()

    def join(name: str) -> str:
        full = f"{path}/{name}" if path else name
        _check_name(name, full)
        if name in taken:
            raise UnfitError(f"{shorten(full)} is there twice")
        taken.add(name)
        return full

    entries += [
        Entry(join(file.name), digest_of(file.digest), executable=file.is_executable) for file in directory.files
    ]
    entries += [Entry(join(link.name), target=_check_target(link.target, path)) for link in directory.symlinks]
    folders = [_Folder(join(folder.name), digest_of(folder.digest)) for folder in directory.directories]
    entries.extend(Entry(folder.path) for folder in folders)
    if len(entries) > MOST_ENTRIES:
        raise UnfitError(f"the tree has more than {MOST_ENTRIES} entries")
    return folders


def _check_name(name: str, path: str) -> None:
    if name in ("", ".", "..") or "/" in name or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        raise UnfitError(f"{shorten(path, 80)!r} is not the path of a file in a tree")


def _check_target(target: str, path: str) -> str:
    if not target or "\0" in target or len(target.encode()) > _LONGEST_TARGET:
        raise UnfitError(f"a link in {shorten(path, 80) or '.'} leads to {shorten(target, 80)!r}")
    return target
