"""Checking a wheel's RECORD: it is copied unchanged, so it must already be correct.

See https://packaging.python.org/en/latest/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.member_names import show

_UNHASHED = ("RECORD", "RECORD.jws", "RECORD.p7s")
_ALGORITHMS = ("sha256", "sha384", "sha512")
"""The specification allows nothing weaker than sha256."""


def find_dist_info(names: Collection[bytes]) -> bytes | None:
    """Return the .dist-info folder, with its slash, of the wheel whose members are `names`; None if not a wheel.

    What is installed in an application, as zipapp(1) packs it, is no wheel: installers write INSTALLER and compile
    files, of which RECORD has no hash.
    """
    if b"__main__.py" in names or any(name.endswith(b".dist-info/INSTALLER") for name in names):
        return None
    folders = [name[: -len(b"WHEEL")] for name in names if name.endswith(b".dist-info/WHEEL") and name.count(b"/") == 1]
    if len(folders) > 1:
        raise NormalizationError(f"a wheel has one dist-info folder, this has {len(folders)}")
    return folders[0] if folders else None


@dataclass(frozen=True, slots=True)
class Row:
    """One file's entry in RECORD."""

    algorithm: str
    digest: str
    """URL-safe base64 without padding."""
    size: int | None


class Record:
    """A RECORD, checked file by file while the wheel is rewritten."""

    def __init__(self, content: bytes, dist_info: bytes) -> None:
        self._unhashed = {dist_info + name.encode() for name in _UNHASHED}
        self._rows = _parse(content, self._unhashed)

    def check_names(self, names: Collection[bytes]) -> None:
        """Raise NormalizationError unless RECORD lists exactly the files `names`."""
        files = set(names)
        missing = min(files - self._rows.keys() - self._unhashed, default=None)
        if missing is not None:
            raise NormalizationError(f"RECORD does not list {show(missing)}")
        extra = min(self._rows.keys() - files, default=None)
        if extra is not None:
            raise NormalizationError(f"RECORD lists {show(extra)}, which is not in the wheel")

    def watch(self, name: bytes) -> Check | None:
        """Return a check of the file `name`; None if RECORD has no hash for it."""
        return None if name in self._unhashed else Check(name, self._rows[name])


class Check:
    """Hashes one file's content while it is copied."""

    def __init__(self, name: bytes, row: Row) -> None:
        self._name = name
        self._row = row
        self._hash = hashlib.new(row.algorithm)
        self._size = 0

    def update(self, piece: bytes) -> None:
        """Hash the next `piece`."""
        self._hash.update(piece)
        self._size += len(piece)

    def finish(self) -> None:
        """Raise NormalizationError if the content does not match RECORD."""
        digest = base64.urlsafe_b64encode(self._hash.digest()).decode().rstrip("=")
        if digest != self._row.digest.rstrip("=") or self._row.size not in (None, self._size):
            raise NormalizationError(f"RECORD is wrong about {show(self._name)}: another size or {self._row.algorithm}")


def _parse(content: bytes, unhashed: Collection[bytes]) -> Mapping[bytes, Row]:
    rows: dict[bytes, Row] = {}
    try:
        for fields in csv.reader(io.StringIO(content.decode("utf-8")), strict=True):
            if fields:
                path, hashed, size = fields
                name = path.encode()
                if name in rows:
                    raise NormalizationError(f"RECORD lists {show(name)} twice")
                rows[name] = _parse_row(name, hashed, size, name in unhashed)
    except (ValueError, csv.Error) as error:
        raise NormalizationError(f"RECORD cannot be read: {error}") from error
    return rows


def _parse_row(name: bytes, hashed: str, size: str, unhashed: bool) -> Row:
    algorithm, _, digest = hashed.partition("=")
    if not unhashed and algorithm not in _ALGORITHMS:
        raise NormalizationError(f"RECORD has no hash of {show(name)} at least as strong as sha256")
    return Row(algorithm, digest, int(size) if size else None)
