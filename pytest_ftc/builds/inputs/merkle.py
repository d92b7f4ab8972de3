"""The digest of a folder, as a tree of ``Directory`` messages of the Remote Execution API v2."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable

from pytest_ftc.builds.launcher.trees import list_folder
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import SourceError

_CHUNK = 1 << 20
_FIFO = b"\0fifo"
"""Represents a named pipe, which the API does not support, as a symlink with an impossible target."""


def digest_folder(
    folder: str,
    entries: Callable[[str], Iterable[str]] = list_folder,
    skip: str = "",
    found: dict[str, str] | None = None,
) -> Digest:
    """Return the digest of the ``Directory`` message for `folder`, of which `entries` names what counts.

    What is called `skip` in the folder itself does not count.  For each path, something that changes with it is put
    into `found`.  Permission bits are in it, as ``NodeProperties``; owners
    and times are not.  Sockets and device files are left out, as they are when the folder is captured.

    See https://github.com/bazelbuild/remote-apis/blob/main/build/bazel/remote/execution/v2/remote_execution.proto.
    Raises SourceError when a file cannot be read.
    """
    try:
        noted: dict[str, str] = {}
        digest = Digest.of(_directory(folder, entries, skip, noted))
        if found is not None:
            start = len(folder.rstrip("/")) + 1
            found.update((path[start:], token) for path, token in noted.items())
        return digest
    except OSError as error:
        raise SourceError(f"cannot read the source {error.filename}: {error.strerror}") from error


def _directory(folder: str, entries: Callable[[str], Iterable[str]], skip: str, found: dict[str, str]) -> bytes:
    """Return the canonical encoding of the message: fields sorted by number, entries by name."""
    files, folders, links = [], [], []
    for name in sorted(map(os.fsencode, entries(folder))):
        path = os.path.join(folder, os.fsdecode(name))  # noqa: PTH118
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if os.fsdecode(name) == skip:
            continue
        if stat.S_ISREG(status.st_mode):
            digest = _digest_file(path)
            files.append(_field(1, _file(name, digest, mode)))
            found[path] = f"{mode:o} {digest.hash[:16]}"
        elif stat.S_ISDIR(status.st_mode):
            inner = Digest.of(_directory(path, entries, "", found))
            folders.append(_field(2, _field(1, name) + _field(2, _digest(inner))))
        elif stat.S_ISLNK(status.st_mode):
            links.append(_field(3, _link(name, os.readlink(path))))  # noqa: PTH115
            found[path] = Digest.of(links[-1]).hash[:16]
        elif stat.S_ISFIFO(status.st_mode):
            links.append(_field(3, _field(1, name) + _field(2, _FIFO)))
    mode = stat.S_IMODE(os.stat(folder).st_mode)  # noqa: PTH116
    return b"".join([*files, *folders, *links, _field(5, _properties(mode))])


def _file(name: bytes, digest: Digest, mode: int) -> bytes:
    executable = _number(4, 1) if mode & 0o100 else b""
    return _field(1, name) + _field(2, _digest(digest)) + executable + _field(6, _properties(mode))


def _link(name: bytes, target: str) -> bytes:
    """Return the message for a symlink; for an absolute path it includes the content that builds see there."""
    shown = b""
    if target.startswith("/") and os.path.isfile(target):  # noqa: PTH113
        digest = _digest_file(os.path.realpath(target))
        shown = _field(4, _field(1, _field(1, b"sha256") + _field(2, digest.hash.encode())))
    return _field(1, name) + _field(2, os.fsencode(target)) + shown


def _digest(digest: Digest) -> bytes:
    size = _number(2, digest.size) if digest.size else b""
    return _field(1, digest.hash.encode()) + size


def _properties(mode: int) -> bytes:
    return _field(3, _number(1, mode) if mode else b"")


def _field(number: int, data: bytes) -> bytes:
    """Return a field of bytes, see https://protobuf.dev/programming-guides/encoding/."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    return bytes((value & 0x7F | 0x80,)) + _varint(value >> 7)


def _digest_file(path: str) -> Digest:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        data = os.read(descriptor, _CHUNK)
        hashed, size = hashlib.sha256(data), len(data)
        while len(data) == _CHUNK:
            data = os.read(descriptor, _CHUNK)
            hashed.update(data)
            size += len(data)
    finally:
        os.close(descriptor)
    return Digest(hashed.hexdigest(), size)
