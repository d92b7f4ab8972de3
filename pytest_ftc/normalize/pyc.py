"""Compiled Python: a hash of the source replaces the source's mtime in the header (PEP 552).

With any other mtime, Python would consider the file stale and rewrite it.  A checked hash stays valid whatever mtime
the source has after installation.  Computing the hash needs the source, so without it the file is refused.
"""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.normalize.rules import CHUNK, Rules

_HEADER = struct.Struct("<4s3L")
"""Magic number and flags, then mtime and size of the source or, in their place, an 8-byte hash of it (PEP 552)."""
_TIMESTAMP, _HASHED, _CHECKED = 0, 0b01, 0b10
_FIRST_MAGIC, _LAST_MAGIC = 3390, 4999
"""Magic numbers of Python 3.7, which introduced this header, and later; 3.14 has 3627."""

_ADVICE = "compile with `python -m compileall --invalidation-mode checked-hash` instead"


def is_bytecode(name: str, head: bytes) -> bool:
    """Return whether a file with this `name` and these first bytes was compiled by Python 3.7 or later."""
    return (
        name.endswith(".pyc")
        and head[2:4] == b"\r\n"
        and _FIRST_MAGIC <= int.from_bytes(head[:2], "little") <= _LAST_MAGIC
    )


def make_normalizer(path: Path) -> Callable[[BinaryIO, BinaryIO, Rules], None]:
    """Return the normalizer for the compiled file at `path`; its source is looked up as Python does (PEP 3147)."""

    def normalize(source: BinaryIO, target: BinaryIO, rules: Rules) -> None:
        head = source.read(_HEADER.size)
        if len(head) < _HEADER.size:
            raise NormalizationError("it is cut short as a compiled Python file")
        target.write(_normal_header(path, head, rules))
        while piece := source.read(CHUNK):
            target.write(piece)

    return normalize


def _normal_header(path: Path, head: bytes, rules: Rules) -> bytes:
    magic, flags, modified, size = _HEADER.unpack(head)
    if flags in (_HASHED, _HASHED | _CHECKED):
        return head
    if flags != _TIMESTAMP:
        raise NormalizationError(f"its flags {flags:#x} are unknown")
    if path.parent.name != "__pycache__" and not path.with_suffix(".py").exists():
        # Python imports such a file without its source, and ignores the mtime (PEP 3147, case 4).
        return _HEADER.pack(magic, flags, rules.epoch, size)
    if magic != importlib.util.MAGIC_NUMBER:
        raise NormalizationError(f"another version of Python compiled it, so its source cannot be hashed; {_ADVICE}")
    content = _read_source(path, modified, size)
    return _HEADER.pack(magic, _HASHED | _CHECKED, 0, 0)[:8] + importlib.util.source_hash(content)


def _read_source(path: Path, modified: int, size: int) -> bytes:
    """Return the source; its mtime and size must match those recorded when it was compiled."""
    try:
        found = Path(importlib.util.source_from_cache(str(path)))
    except ValueError:
        found = path.with_suffix(".py")
    try:
        status = found.stat()
        content = found.read_bytes()
    except OSError as error:
        raise NormalizationError(f"its source {found.name} cannot be read ({error.strerror}); {_ADVICE}") from error
    if int(status.st_mtime) & 0xFFFFFFFF != modified or status.st_size & 0xFFFFFFFF != size:
        raise NormalizationError(f"it is older than its source {found.name}: Python would not use it; compile it again")
    return content
