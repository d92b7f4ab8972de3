"""What an action cache says of an action, checked against the storage.

See https://github.com/bazelbuild/remote-apis, message ``ActionResult``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_ftc.integrations.audit.contents import Contents, Fault, FaultsError
from pytest_ftc.integrations.audit.trees import MOST_ENTRIES, UnfitError, check_path, digest_of, expand_tree, parse
from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.merkle import Entry
from pytest_ftc.model import Output, OutputType
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.support.printable import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedResult:
    """The cached result of an action."""

    message: Any
    """The ``ActionResult``."""
    digest: Digest
    outputs: tuple[Output, ...] | None
    """Paths are relative to the input root; None if a faulty tree keeps them unknown."""
    tops: tuple[str, ...]
    """The paths of the outputs that the result itself names, relative to the input root."""
    faults: tuple[Fault, ...]

    @property
    def exit_code(self) -> int:
        """The exit status of the command."""
        return int(self.message.exit_code)


async def examine_result(contents: Contents, message: Any, folder: str) -> CachedResult:
    """Read everything that the ``ActionResult`` `message` names, and return what is true of it.

    `folder` is the working directory.  Raises UnfitError, TransientError, CancelledError, OSError.
    """
    faults: list[Fault] = []
    entries = list(_entries(message, folder))
    tops = [entry.path for entry in entries]
    for path, digest in _trees(message, folder):
        tops.append(path)
        what = f"the tree of {shorten(path) or '.'}"
        try:
            tree = parse("Tree", await contents.read_message(digest, what), what, digest)
            entries += expand_tree(path, tree)
        except FaultsError as error:
            faults += error.faults
    known = not faults
    if len(entries) > MOST_ENTRIES:
        raise UnfitError(f"its result has more than {MOST_ENTRIES} outputs")
    names = {entry.digest: f"output {shorten(entry.path)}" for entry in entries if entry.digest}
    faults += await contents.check(names | dict(_streams(message)))
    return CachedResult(
        message=message,
        digest=Digest.of(api.serialize(message)),
        outputs=tuple(sorted(map(_output, entries), key=lambda one: one.path)) if known else None,
        tops=tuple(sorted(tops)),
        faults=tuple(faults),
    )


def _entries(message: Any, folder: str) -> Iterator[Entry]:
    """Yield the files and links that `message` names directly."""
    for file in message.output_files:
        yield Entry(_path(folder, file.path), digest_of(file.digest), executable=file.is_executable)
    # Newer servers repeat in the first list what is in the other two.
    links = [*message.output_symlinks, *message.output_file_symlinks, *message.output_directory_symlinks]
    for path, target in dict.fromkeys((link.path, link.target) for link in links):
        yield Entry(_path(folder, path), target=target)


def _trees(message: Any, folder: str) -> Iterator[tuple[str, Digest]]:
    for found in message.output_directories:
        if not found.HasField("tree_digest"):
            raise UnfitError(f"its result names no tree for the folder {shorten(found.path)}")
        yield _path(folder, found.path), digest_of(found.tree_digest)


def _streams(message: Any) -> Iterator[tuple[Digest, str]]:
    for name in ("stdout", "stderr"):
        if message.HasField(f"{name}_digest"):
            digest = digest_of(getattr(message, f"{name}_digest"))
            if digest.size:
                yield digest, name


def _path(folder: str, path: str) -> str:
    joined = posixpath.join(folder, path).rstrip("/")
    return check_path(joined) if joined else ""


def _output(entry: Entry) -> Output:
    if entry.digest:
        mode = "0755" if entry.executable else "0644"
        return Output(
            path=entry.path, type=OutputType.FILE, mode=mode, size=entry.digest.size, sha256=entry.digest.hash
        )
    if entry.target is not None:
        return Output(path=entry.path, type=OutputType.SYMLINK, mode="0777", target=entry.target)
    return Output(path=entry.path, type=OutputType.DIR, mode="0755")
