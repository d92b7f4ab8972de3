"""The key that authenticates this user's entries."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from pytest_ftc.model.errors import StoreUnavailableError

VARIABLE = "FTC_STORE_KEY"
"""Set it from a CI secret if machines share a store, or a store is restored to a fresh machine."""
_LENGTH = 32


def load_key(file: Path, environ: Mapping[str, str]) -> bytes:
    """Return the key in the environment variable, else the one in `file`, which is created on first use.

    The key is not in the store, so that write access to the store is not enough to create entries.
    Raises StoreUnavailableError.
    """
    if given := environ.get(VARIABLE):
        if len(given) < _LENGTH:
            raise StoreUnavailableError(
                f"{VARIABLE} has {len(given)} characters, expected at least {_LENGTH} random ones",
                advice="Generate one: python -c 'import secrets; print(secrets.token_hex())'",
            )
        return hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
    try:
        key = _read(file) or _make(file)
    except OSError as error:
        raise StoreUnavailableError(f"the key {file} cannot be used: {error.strerror or error}") from error
    if len(key) != _LENGTH:
        raise StoreUnavailableError(
            f"the key {file} is damaged: it has {len(key)} bytes, expected {_LENGTH}",
            advice="Remove it; verdicts cached with it are then rebuilt.",
        )
    return key


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _make(file: Path) -> bytes:
    """Create the key atomically; another session may do the same at the same time."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, secrets.token_bytes(_LENGTH))
        os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(part, file)
    finally:
        os.close(descriptor)
        os.unlink(part)
    return file.read_bytes()
