"""Reading, hashing and syncing the files of the content-addressable store."""

from __future__ import annotations

import ctypes
import hashlib
import os

from pytest_ftc.model.digest import Digest
from pytest_ftc.store.layout import open_plain, write_all

_CHUNK = 1 << 20
MANY = 32
"""For at least this many files, one syncfs(2) is cheaper than an fsync(2) for each."""


def digest_file(path: str) -> Digest:
    """Return the digest of the regular file `path`.  Raises ValueError for anything else."""
    descriptor = open_plain(path)
    try:
        return copy_hashing(descriptor, None, 0)
    finally:
        os.close(descriptor)


def read_at_most(path: str, size: int) -> bytes:
    """Return at most `size` + 1 bytes of a file, so that the caller notices if it is larger than `size`."""
    descriptor = open_plain(path)
    try:
        data = os.read(descriptor, size + 1)
        if len(data) >= size:
            return data
        parts = [data]
        while data and sum(map(len, parts)) <= size:
            data = os.read(descriptor, _CHUNK)
            parts.append(data)
        return b"".join(parts)
    finally:
        os.close(descriptor)


def copy_hashing(source: int, target: str | None, mode: int) -> Digest:
    """Copy `source` to the new file `target` and return the digest."""
    hashed, size = hashlib.sha256(), 0
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    write = os.open(target, flags, mode) if target else -1
    try:
        while count := os.readv(source, [buffer]):
            hashed.update(view[:count])
            size += count
            if target:
                write_all(write, view[:count])
    finally:
        if target:
            os.close(write)
    return Digest(hashed.hexdigest(), size)


def sync_files(paths: list[str], folder: str) -> None:
    """Make the files `paths`, all in `folder`, durable."""
    if len(paths) >= MANY and sync_filesystem(folder):
        return
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sync_filesystem(folder: str) -> bool:
    """Flush the file system of `folder` to disk with syncfs(2); return whether that is possible."""
    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if syncfs(descriptor):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    finally:
        os.close(descriptor)
    return True
