"""File trees that a farm describes: inputs of actions, and output folders.

They are not trusted: names, digests and the number of entries are checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.cas import Cas
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten

MOST_ENTRIES = 200_000
_MOST_BYTES = 256 << 20
"""Of all messages of one tree."""
_DEEPEST = 2000
"""Folders within each other; Linux has no deeper paths that a program can name."""


async def read_input_tree(cas: Cas, root: Digest, most: int = MOST_ENTRIES) -> list[Entry]:
    """Return the entries of the tree whose root's ``Directory`` has the digest `root`; files have no content yet.

    Raises MissingError, AlteredError, TransientError, and RemoteError, also for a tree of more than `most` entries.
    """
    found: dict[Digest, Any] = {}
    wanted, left = {root}, _MOST_BYTES
    while wanted:
        answers = await cas.read_all(wanted, left)
        left -= sum(digest.size for digest in wanted)
        for digest, data in answers.items():
            if isinstance(data, Exception):
                raise data
            found[digest] = _parse(data, api.Directory)
        if len(found) > most:
            raise _too_many(most)
        wanted = {api.to_digest(node.digest) for digest in answers for node in found[digest].directories} - found.keys()
    return list(_walk(root, found, most))


async def read_output_tree(
    cas: Cas, tree: Digest, most: int = MOST_ENTRIES, most_bytes: int = _MOST_BYTES
) -> list[Entry]:
    """Return the entries of an output folder, whose ``Tree`` has the digest `tree`; raises as above.

    The ``Tree`` may have `most_bytes`: in memory it takes many times as much.
    """
    return parse_output_tree(await cas.read(tree, most_bytes), most)


def parse_output_tree(data: bytes, most: int = MOST_ENTRIES) -> list[Entry]:
    """Return the entries of a serialized ``Tree``.  Raises RemoteError."""
    message = _parse(data, api.Tree)
    found = {}
    for directory in (message.root, *message.children):
        encoded = api.serialize(directory)
        found[Digest.of(encoded)] = directory
    return list(_walk(Digest.of(api.serialize(message.root)), found, most))


def _walk(root: Digest, found: Mapping[Digest, Any], most: int) -> Iterator[Entry]:
    """Yield all entries; a folder that is in several places comes in each of them."""
    pending = [("", 0, root)]
    count = size = 0
    while pending:
        prefix, depth, digest = pending.pop()
        if digest not in found:
            raise RemoteError(f"a tree lacks the folder {shorten(repr(prefix))}, which has the digest {digest}")
        directory = found[digest]
        count += len(directory.files) + len(directory.symlinks) + len(directory.directories)
        nodes = [*directory.directories, *directory.files, *directory.symlinks]
        # A path may be long, and a folder with many files may be in many places.
        size += sum(len(prefix) + len(node.name) for node in nodes)
        if count > most or depth > _DEEPEST or size > _MOST_BYTES:
            raise _too_many(most)
        _check_names(nodes, prefix)
        for node in directory.directories:
            yield Entry(prefix + node.name)
            pending.append((f"{prefix}{node.name}/", depth + 1, api.to_digest(node.digest)))
        for node in directory.files:
            yield Entry(prefix + node.name, api.to_digest(node.digest), executable=node.is_executable)
        for node in directory.symlinks:
            yield Entry(prefix + node.name, target=node.target)


def _check_names(nodes: Iterable[Any], prefix: str) -> None:
    seen = set()
    for node in nodes:
        name = node.name
        if name in seen or name in ("", ".", "..") or "/" in name or "\0" in name:
            raise RemoteError(f"a tree has the name {shorten(repr(prefix + name))}, which cannot be or is there twice")
        seen.add(name)


def _parse(data: bytes, kind: Any) -> Any:
    message = api.parse(kind, data)
    if message is None:
        raise RemoteError(f"a tree is broken or too large: {Digest.of(data)} is no {kind.DESCRIPTOR.name}")
    return message


def _too_many(most: int) -> RemoteError:
    return RemoteError(
        f"a tree has more than {most} entries, or more than {_DEEPEST} folders within each other, or too long paths"
    )
