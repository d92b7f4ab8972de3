"""File trees as the Merkle trees of the Remote Execution API.

See https://github.com/bazelbuild/remote-apis, message ``Directory``, for the canonical form.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.contents import CHUNK, Content
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import SourceError
from pytest_ftc.model.support.printable import shorten


@dataclass(frozen=True, slots=True)
class Tree:
    """A file tree."""

    root: Digest
    """The digest of its root's ``Directory``."""
    contents: Mapping[Digest, Content]
    """Everything that a server needs: each ``Directory``, and each file's content."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, link or folder of a tree."""

    path: str
    """Relative to the root, with slashes."""
    digest: Digest | None = None
    """Of a file's content."""
    content: Content = b""
    """A file's content, or where it is."""
    executable: bool = False
    target: str | None = None
    """Of a symbolic link."""

    @classmethod
    def of(cls, path: str, data: bytes, *, executable: bool = False) -> Entry:
        """Return the file `path` with the content `data`."""
        return cls(path, Digest.of(data), data, executable)


@dataclass(slots=True)
class _Folder:
    folders: dict[str, _Folder] = field(default_factory=dict)
    others: dict[str, Entry] = field(default_factory=dict)
    digest: Digest | None = None


def describe_tree(
    folder: Path, known: Mapping[str, Digest] | None = None, *, prefix: str = "", extra: Iterable[Entry] = ()
) -> Tree:
    """Return the tree of `folder`, below `prefix`, together with the `extra` entries.

    `known` has digests of files by their relative path, which are not read then.
    Raises SourceError for what such a tree cannot hold: names that are not UTF-8, sockets and devices.
    """
    return build_tree([*list_entries(folder, known, prefix=prefix), *extra])


def list_entries(folder: Path, known: Mapping[str, Digest] | None = None, *, prefix: str = "") -> Iterator[Entry]:
    """Yield the entries of `folder`, with `prefix` before their paths; raises as `describe_tree` does."""
    known = known or {}
    if prefix:
        yield Entry(prefix)
    pending = [""]
    while pending:
        relative = pending.pop()
        try:
            with os.scandir(folder / relative) as found:
                for item in found:
                    path = f"{relative}/{item.name}" if relative else item.name
                    if item.is_dir(follow_symlinks=False):
                        pending.append(path)
                    yield _describe(item, path, f"{prefix}/{path}" if prefix else path, known)
        except OSError as error:
            raise SourceError(f"cannot read {shorten(str(error.filename))}: {error.strerror}") from None


def build_tree(entries: Iterable[Entry]) -> Tree:
    """Return the tree of `entries`, whatever their order; folders that are only implied are added.

    Raises SourceError for invalid names and for two entries of one name.
    """
    top = _Folder()
    for entry in entries:
        _place(top, entry)
    contents: dict[Digest, Content] = {}
    return Tree(_encode(top, contents), contents)


def digest_file(path: Path) -> Digest:
    """Return the digest of a file.  Raises OSError."""
    check, size = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            check.update(chunk)
            size += len(chunk)
    return Digest(check.hexdigest(), size)


def _describe(item: os.DirEntry[str], path: str, name: str, known: Mapping[str, Digest]) -> Entry:
    if item.is_symlink():
        return Entry(name, target=os.readlink(item.path))  # noqa: PTH115 (pathlib would normalize it)
    if item.is_dir(follow_symlinks=False):
        return Entry(name)
    status = item.stat(follow_symlinks=False)
    if not stat.S_ISREG(status.st_mode):
        raise SourceError(f"{shorten(path)} is no regular file; the farm cannot have it")
    digest = known.get(path) or digest_file(Path(item.path))
    return Entry(name, digest, Path(item.path), bool(status.st_mode & 0o111))


def _place(top: _Folder, entry: Entry) -> None:
    *folders, name = [_checked(part, entry.path) for part in entry.path.split("/")]
    here = top
    for part in folders:
        if part in here.others:
            raise _twice(entry.path)
        here = here.folders.setdefault(part, _Folder())
    if entry.digest is None and entry.target is None:
        if name in here.others:
            raise _twice(entry.path)
        here.folders.setdefault(name, _Folder())
    elif name in here.others or name in here.folders:
        raise _twice(entry.path)
    else:
        here.others[name] = entry


def _encode(top: _Folder, contents: dict[Digest, Content]) -> Digest:
    """Add the ``Directory`` of `top` and of all folders below it to `contents`; return the digest of `top`."""
    folders = [top]
    for folder in folders:
        folders.extend(folder.folders.values())
    for folder in reversed(folders):
        message = api.Directory()
        # The order of Unicode's code points is that of the bytes of UTF-8, which the specification asks for.
        for name in sorted(folder.folders):
            below = folder.folders[name]
            assert below.digest is not None, "it comes after its parent"
            message.directories.add(name=name, digest=api.to_message(below.digest))
        for name in sorted(folder.others):
            _add(message, name, folder.others[name], contents)
        data = api.serialize(message)
        folder.digest = Digest.of(data)
        contents[folder.digest] = data
    assert top.digest is not None, "it is the first of the folders"
    return top.digest


def _add(message: Any, name: str, entry: Entry, contents: dict[Digest, Content]) -> None:
    if entry.target is not None:
        message.symlinks.add(name=name, target=_checked_target(entry))
        return
    assert entry.digest is not None, "all other entries are folders"
    message.files.add(name=name, digest=api.to_message(entry.digest), is_executable=entry.executable)
    contents.setdefault(entry.digest, entry.content)


def _checked(name: str, path: str) -> str:
    if name in ("", ".", "..") or "\0" in name:
        raise SourceError(f"{shorten(path)!r} is not the path of a file in a tree")
    return _checked_text(name, path)


def _checked_target(entry: Entry) -> str:
    assert entry.target is not None
    return _checked_text(entry.target, f"the link {entry.path}")


def _checked_text(text: str, path: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SourceError(f"{shorten(path)} is not UTF-8; the Remote Execution API has no such names") from None
    return text


def _twice(path: str) -> SourceError:
    return SourceError(f"{shorten(path)} is there twice")
