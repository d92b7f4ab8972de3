"""The contents of outputs: files in a build's folder, or fetched into it when they are read."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path

from pytest_ftc.model.errors import MissingError
from pytest_ftc.model.support.printable import shorten

Fetch = Callable[[str, Path], None]
"""Writes the content with a sha256 to a new file.  Raises FtcError."""

_NAME = re.compile("[0-9a-f]{64}")
_remote: dict[str, Fetch] = {}
_lock = threading.Lock()
_turns: dict[str, threading.Lock] = {}


def is_name(sha256: str) -> bool:
    """Return whether a content can have this name: a SHA-256 in hexadecimal."""
    return _NAME.fullmatch(sha256) is not None


def keep_remote(folder: Path, fetch: Fetch) -> None:
    """Let contents that `folder` lacks be fetched when they are asked for."""
    _remote[str(folder)] = fetch


def is_remote(folder: str) -> bool:
    """Whether contents of `folder` may have to be fetched."""
    return folder in _remote


def find_content(folder: str, sha256: str) -> Path:
    """Return the file with a content of a build whose contents belong in `folder`.  Raises FtcError.

    A `sha256` that is none is the name of no content, and never read as a path.
    """
    if not is_name(sha256):
        raise MissingError(f"no content has the name {shorten(repr(sha256))}, which is no SHA-256")
    path = Path(folder, sha256)
    if fetch := _remote.get(folder):
        with _lock:
            turn = _turns.setdefault(str(path), threading.Lock())
        with turn:
            if not path.exists():
                fetch(sha256, path)
    return path


def forget(folder: Path) -> None:
    """Let nothing be fetched into `folder` any more."""
    _remote.pop(str(folder), None)
