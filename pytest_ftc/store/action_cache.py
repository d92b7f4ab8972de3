"""Verified actions, authenticated so that they cannot be changed in the store."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.model.protocols import ActionCache
from pytest_ftc.model.support.serialization import from_json, to_json
from pytest_ftc.store.entry_files import LARGEST, read_entry

_MAC = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The recorded verification of one action."""

    action: str
    """The digest of the action."""
    asked: Mapping[str, str]
    """The requested variations, each with its parameters."""
    facilities: str
    """Digest of the machine's facilities."""
    environment: str
    """Digest of the installed build requirements; empty if there are none."""
    builds: int
    machine: str
    """Digest that identifies the machine."""
    made: float
    """Time of the verification, in seconds since 1970."""
    traced: bool
    """Whether undeclared inputs were checked."""
    diagnose: str
    """The mode of diagnosis: ``off``, ``fast`` or ``full``."""
    verification: Mapping[str, Any]
    """The verification as JSON values."""
    blobs: tuple[str, ...] = ()
    """Digests of the stored outputs."""
    history: str = ""
    """The generation of the history that contains its builds; empty in entries of earlier versions."""
    row: int = 0
    """The number of its last build in that history."""
    disputed: bool = False
    """Whether later builds of the action had other outputs."""
    dependencies: Mapping[str, str] = field(default_factory=dict)
    """What the control build used outside its sources: a token for each path."""
    unseen: str = ""
    """Why `dependencies` may be incomplete."""


class SealedCache:
    """The entries stored in `cache`, authenticated with `key`."""

    def __init__(self, cache: ActionCache, key: bytes) -> None:
        self._cache = cache
        self._key = key
        self._refused: set[str] = set()

    @property
    def refused(self) -> int:
        """The number of entries that were found but not trusted."""
        return len(self._refused)

    def get(self, action: str) -> Entry | None:
        """Return the entry for the digest `action`; None if there is none, or it cannot be trusted.

        Raises StoreUnavailableError.
        """
        data = self._cache.get_entry(action)
        if data is None:
            return None
        entry = open_entry(data, action, self._key)
        if entry is None:
            self._refused.add(action)
        return entry

    def put(self, entry: Entry) -> bool:
        """Store `entry`, replacing any other; return whether it is small enough.  Raises StoreUnavailableError."""
        data = seal_entry(entry, self._key)
        if len(data) > LARGEST:
            return False
        self._cache.put_entry(entry.action, data)
        return True


def seal_entry(entry: Entry, key: bytes) -> bytes:
    """Return the file content for `entry`: authentication code in hexadecimal, newline, JSON."""
    body = json.dumps(to_json(entry), separators=(",", ":")).encode()
    return _code(entry.action, body, key) + b"\n" + body


def open_entry(data: bytes, action: str, key: bytes) -> Entry | None:
    """Return the entry in the file content `data`; None if it was not authenticated with `key` for `action`."""
    code, body = data[:_MAC], data[_MAC + 1 :]
    if data[_MAC : _MAC + 1] != b"\n" or not hmac.compare_digest(code, _code(action, body, key)):
        return None
    try:
        entry = from_json(Entry, json.loads(body))
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    return entry if entry.action == action else None


def is_authentic(action: str, data: bytes, *, key: bytes) -> bool:
    """Return whether the file content `data` is an entry for `action` that was authenticated with `key`."""
    return open_entry(data, action, key) is not None


def is_disputed(action: str, data: bytes, *, key: bytes) -> bool:
    """Return whether the file content `data` is such an entry, and later builds had other outputs."""
    entry = open_entry(data, action, key)
    return entry is not None and entry.disputed


def read_blob_names(path: str) -> list[str]:
    """Return the digests of the outputs that the entry in the file `path` needs, whether it is authentic or not."""
    try:
        names = json.loads(read_entry(path)[_MAC + 1 :])["blobs"]
        return [str(name) for name in names]
    except (OSError, KeyError, TypeError, ValueError, RecursionError):
        return []


def _code(action: str, body: bytes, key: bytes) -> bytes:
    return hmac.new(key, b"pytest-ftc entry\0" + action.encode() + b"\0" + body, hashlib.sha256).hexdigest().encode()
