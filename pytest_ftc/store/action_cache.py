"""The action cache: what was verified of an action, authenticated, one file each."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftc.launcher.trees import write_all
from pytest_ftc.model.serial import from_json, to_json
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.faults import crash_point
from pytest_ftc.store.layout import open_plain, sync_folder, translated

_LARGEST = 64 << 20
"""Bytes of an entry; a record of more outputs than that is not kept."""
_MAC = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one action."""

    action: str
    """The digest of the action."""
    asked: Mapping[str, str]
    """The variations that were asked for, each with its parameters."""
    facilities: str
    """Digest of what the machine offered."""
    environment: str
    """Digest of the installed build requirements; empty when there are none."""
    builds: int
    machine: str
    """Where it was found out, as a digest."""
    made: float
    """When, seconds since 1970."""
    traced: bool
    """Whether it was looked at what the builds use beyond their declared inputs."""
    diagnose: str
    """How differences were explained: ``off``, ``fast`` or ``full``."""
    verification: Mapping[str, Any]
    """The record, as JSON values."""
    blobs: tuple[str, ...] = ()
    """Digests of the outputs that the store keeps."""


class ActionCache:
    """The entries in the folder of `store`, each valid under `key` only."""

    def __init__(self, store: LocalStore, key: bytes) -> None:
        self._store = store
        self._key = key
        self._refused: set[str] = set()

    @property
    def refused(self) -> int:
        """How many entries were there and not to be trusted."""
        return len(self._refused)

    def get(self, action: str) -> Entry | None:
        """Return the entry for the digest `action`; None where there is none, or none that can be trusted.

        Raises StoreUnavailableError.
        """
        layout = self._store.layout
        with translated(layout.root):
            try:
                data = _read(layout.action(action))
            except (FileNotFoundError, NotADirectoryError):
                return None
            except ValueError:
                data = b""
        entry = open_entry(data, action, self._key)
        if entry is None:
            self._refused.add(action)
            return None
        with contextlib.suppress(OSError):
            os.utime(layout.action(action))  # what was not asked for in a long time is removed first
        return entry

    def put(self, entry: Entry) -> bool:
        """Keep `entry` in place of any other; return whether it is small enough.  Raises StoreUnavailableError."""
        data = seal_entry(entry, self._key)
        if len(data) > _LARGEST:
            return False
        layout = self._store.layout
        with translated(layout.root):
            part = self._store.new_part()
            place = layout.action(entry.action)
            try:
                _write(part, data)
                crash_point("entry.part-written")
                folder = os.path.dirname(place)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(folder, 0o700)
                os.rename(part, place)
                crash_point("entry.named")
                sync_folder(folder)
                sync_folder(str(layout.actions))
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(part)
                raise
        return True


def seal_entry(entry: Entry, key: bytes) -> bytes:
    """Return the file of `entry`: its authentication code in hexadecimal, a line end, and its text as JSON."""
    body = json.dumps(to_json(entry), separators=(",", ":")).encode()
    return _code(entry.action, body, key) + b"\n" + body


def open_entry(data: bytes, action: str, key: bytes) -> Entry | None:
    """Return the entry for `action` in the file content `data`; None if it is not one that `key` made for it."""
    code, body = data[:_MAC], data[_MAC + 1 :]
    if data[_MAC : _MAC + 1] != b"\n" or not hmac.compare_digest(code, _code(action, body, key)):
        return None
    try:
        entry = from_json(Entry, json.loads(body))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return entry if entry.action == action else None


def read_blob_names(path: str) -> list[str]:
    """Return the digests of the outputs that the entry in the file `path` needs, be it valid or not."""
    try:
        names = json.loads(_read(path)[_MAC + 1 :])["blobs"]
        return [str(name) for name in names]
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return []


def _code(action: str, body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"pytest-ftc entry\0" + action.encode() + b"\0" + body, hashlib.sha256).hexdigest().encode()


def _read(path: str) -> bytes:
    with open(open_plain(path), "rb") as file:
        return file.read(_LARGEST + 1)


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        crash_point("entry.part-made")
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
