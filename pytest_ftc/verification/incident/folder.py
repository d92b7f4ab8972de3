"""The folder of an incident: bounded, masked, and listed with digests."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.printable import printable
from pytest_ftc.model.support.serialization import to_json
from pytest_ftc.store.layout import make_folder, open_plain

MANIFEST = "MANIFEST"
"""Lists each file with its SHA-256, as ``sha256sum --check`` reads it."""
README = "README.txt"
MOST_BYTES = 8 << 20
"""Most bytes of one file."""
_MOST_ALL = 64 << 20
_MOST_FILES = 200
_NAME = re.compile(r"([A-Za-z0-9_][A-Za-z0-9._-]{0,199}/)?[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_BEGINNING = 1 << 20
"""Bytes that are kept from the beginning of a longer log; the rest is its end."""


class IncidentFolder:
    """Writes files to `root`, a new folder that only this user may read; `mask` removes secrets from each."""

    def __init__(self, root: Path, mask: Callable[[bytes], bytes]) -> None:
        """Raise ConfigurationError for a folder that is not empty, or cannot be written."""
        self.root = root
        self.missing: list[str] = []
        """What could not be gathered, and why: one sentence each."""
        self._mask = mask
        self._digests: dict[str, str] = {}
        self._bytes = 0
        try:
            make_folder(root, mode=0o700)
            if [name for name in os.listdir(root) if name != ".gitignore"]:  # noqa: PTH208
                raise ConfigurationError(f"{root}: expected a new or an empty folder, found files in it")
        except OSError as error:
            raise ConfigurationError(f"{root}: expected a folder to write, found: {error.strerror or error}") from None

    def write(self, name: str, data: bytes) -> None:
        """Write the file `name`, without the secrets in `data`.  Raises FtcError."""
        if not _NAME.fullmatch(name):
            self.missing.append(f"{printable(name, keep='')}: no name for a file of this folder")
            return
        masked = self._mask(data)
        if len(self._digests) >= _MOST_FILES or self._bytes + len(masked) > _MOST_ALL:
            self.missing.append(f"{name}: the folder has its most of {_MOST_FILES} files or {_MOST_ALL >> 20} MiB")
            return
        self._put(name, masked)

    def _put(self, name: str, masked: bytes) -> None:
        path = self.root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(masked)
        except OSError as error:
            raise FtcError(f"cannot write {path}: {error.strerror or error}") from error
        self._digests[name] = hashlib.sha256(masked).hexdigest()
        self._bytes += len(masked)

    def write_json(self, name: str, value: object) -> None:
        """Write `value`, of dataclasses or JSON values, to the file `name`.  Raises FtcError."""
        self.write(name, (json.dumps(to_json(value), indent=1) + "\n").encode())

    def copy(self, path: Path, name: str, *, is_log: bool = False) -> None:
        """Copy the regular file `path`; of a log that is too long, the beginning and the end.  Raises FtcError."""
        try:
            self.write(name, read_plain(path, is_log=is_log))
        except (OSError, ValueError) as error:
            self.missing.append(f"{name}: {path}: {getattr(error, 'strerror', '') or error}")

    def finish(self, about: str) -> None:
        """Write the README, which begins with what the folder is `about`, and the manifest.  Raises FtcError."""
        what = [f"- {one}" for one in sorted(self._digests)]
        lacks = [f"- {one}" for one in self.missing] or ["nothing"]
        check = f"Check the files: sha256sum --check {MANIFEST}"
        text = "\n".join([about, "", "Files:", *what, "", "Missing:", *lacks, "", check, ""])
        self._put(README, self._mask(printable(text).encode("utf-8", "backslashreplace")))
        listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._digests.items()))
        (self.root / MANIFEST).write_bytes(listed.encode())


def read_plain(path: Path, *, is_log: bool = False) -> bytes:
    """Return the content of the regular file `path`; of a log that is too long, the beginning and the end.

    Raises OSError, and ValueError for anything else, such as a symlink, and for more than `MOST_BYTES`.
    """
    with open(open_plain(str(path)), "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= MOST_BYTES or not is_log:
            data = file.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                raise ValueError(f"larger than {MOST_BYTES >> 20} MiB")
            return data
        beginning = file.read(_BEGINNING)
        file.seek(size - (MOST_BYTES - _BEGINNING))
        end = file.read(MOST_BYTES - _BEGINNING)
    return b"%s\n[... %d bytes are left out ...]\n%s" % (beginning, size - MOST_BYTES, end)


def read_json(path: Path) -> Any:
    """Return the JSON in the regular file `path`.  Raises OSError, ValueError."""
    try:
        return json.loads(read_plain(path))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
