"""Writes the kit to a folder, and keeps there what its user has changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file

RECORD = ".ftc-kit.json"
"""The file that remembers what was written, so that changes of the user are seen."""


class Fate(str, Enum):
    """What became of a file."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    """It was there already, with the same bytes."""
    KEPT = "kept"
    """The user has changed it."""


def write_kit(folder: Path, files: Mapping[str, str], *, force: bool = False) -> dict[str, Fate]:
    """Write `files` below `folder`; one that its user has changed is kept, unless `force` is given.

    Returns what became of each.  Raises FtcError.
    """
    record = folder / RECORD
    try:
        known = _read_record(record)
        fates = {name: _decide(folder / name, text, known.get(name), force=force) for name, text in files.items()}
        for name, fate in fates.items():
            if fate is Fate.WRITTEN:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                replace_file(folder / name, files[name].encode(), durable=False)
            if fate is not Fate.KEPT:
                known[name] = _digest(files[name].encode())
        _write_record(record, known)
    except OSError as error:
        raise FtcError(f"{error.filename or folder} cannot be written: {error.strerror or error}") from None
    return fates


def _decide(file: Path, text: str, known: str | None, *, force: bool) -> Fate:
    if not file.exists():
        return Fate.WRITTEN
    there = file.read_bytes()
    if there == text.encode():
        return Fate.UNCHANGED
    return Fate.WRITTEN if force or _digest(there) == known else Fate.KEPT


def _read_record(record: Path) -> dict[str, str]:
    """Return the digests of what was written before; without a readable record, everything is the user's."""
    if not record.is_file():
        return {}
    try:
        found: Any = json.loads(record.read_bytes())
        return {str(name): str(digest) for name, digest in found["written"].items()}
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return {}


def _write_record(record: Path, known: Mapping[str, str]) -> None:
    text = json.dumps({"written": dict(sorted(known.items()))}, indent=1) + "\n"
    if not record.is_file() or record.read_text(encoding="utf-8", errors="replace") != text:
        replace_file(record, text.encode(), durable=False)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
