"""Replacing one file atomically."""

from __future__ import annotations

import contextlib
import filecmp
import os
import stat
from pathlib import Path
from typing import BinaryIO

from pytest_ftc.model.errors import NormalizationError
from pytest_ftc.model.support.atomic_file import temporary_file
from pytest_ftc.normalize.formats import choose_normalizer
from pytest_ftc.normalize.rules import Rules

_SIGNATURES = (".asc", ".sig", ".sign", ".minisig", ".sigstore", ".sigstore.json")


def normalize_file(path: Path, rules: Rules, *, write: bool = True, output: Path | None = None) -> bool:
    """Normalize the file at `path` and return whether its bytes change.

    With `write` the file is replaced atomically and keeps its mode.  With a folder `output` (created if missing), the
    result is written there under the same name instead.  Raises NormalizationError if the file is refused; nothing has
    been written then.
    """
    try:
        return _normalize(path, rules, write, output)
    except OSError as error:
        raise NormalizationError(f"{error.strerror or error}") from error


def _normalize(path: Path, rules: Rules, write: bool, output: Path | None) -> bool:
    path.stat()  # raises OSError for a symlink loop; before Python 3.13, resolve() raises RuntimeError
    real = path.resolve(strict=True)
    # Checked before opening: opening a FIFO would wait for a writer.
    if not real.is_file():
        raise NormalizationError("it is not a regular file")
    target = real
    if output is not None and write:
        output.mkdir(parents=True, exist_ok=True)
        target = output.resolve() / path.name
    with real.open("rb") as source:
        before = os.fstat(source.fileno())
        folder = target.parent if write else None
        with temporary_file(folder, ".ftc-normalize-") as (temporary, file):
            choose_normalizer(real, source)(source, file, rules)
            file.flush()
            changed = not filecmp.cmp(real, temporary, shallow=False)
            if changed and target == real:
                _check_signatures(real)
            if write and (changed or target != real):
                _check_unchanged(real, before)
                _put(temporary, file, target, before)
    return changed


def _put(temporary: Path, file: BinaryIO, target: Path, before: os.stat_result) -> None:
    """Rename the complete `temporary` to `target`, with the mode and, if permitted, the owner of the file `before`."""
    with contextlib.suppress(PermissionError):
        os.fchown(file.fileno(), before.st_uid, before.st_gid)
    os.fchmod(file.fileno(), stat.S_IMODE(before.st_mode))
    os.fsync(file.fileno())
    temporary.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_unchanged(path: Path, before: os.stat_result) -> None:
    now = path.stat()
    if (now.st_ino, now.st_size, now.st_mtime_ns) != (before.st_ino, before.st_size, before.st_mtime_ns):
        raise NormalizationError("another process modified it meanwhile")


def _check_signatures(path: Path) -> None:
    for ending in _SIGNATURES:
        signature = path.with_name(path.name + ending)
        if signature.exists():
            raise NormalizationError(f"{signature.name} would no longer match it; normalize first, then sign")
