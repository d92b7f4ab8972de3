"""Reads the secrets that artifacts name, each once in a session, and keeps them in memory only."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Protocol

from pytest_ftc.builds.inputs.secret_sources import NamedSecrets, SecretSource, VaultField
from pytest_ftc.builds.inputs.secrets import Given, no_names
from pytest_ftc.config.load import Config
from pytest_ftc.model.errors import FtcError

_FOLDER = "/ftc-secrets"
"""Where builds see values that are files."""
_LARGEST = (1 << 16) - 1
"""Bytes of a value; the kernel takes no variable of twice this size, see execve(2)."""


class Vault(Protocol):
    """A service that keeps secrets."""

    def read(self, field: VaultField) -> str:
        """Return the value of `field`.  Raises FtcError."""

    def close(self) -> None:
        """Revoke what this session has created to log in; may be called again."""

    @property
    def problem(self) -> str:
        """Why that failed, in one sentence; empty if it did not."""


class NamedReader:
    """Reads named secrets: each when the first artifact needs it, and then no more, also if that failed."""

    def __init__(
        self, declared: NamedSecrets, environ: Mapping[str, str], root: Path, open_vault: Callable[[], Vault]
    ) -> None:
        """Paths are relative to `root`; `open_vault` is called once, for the first secret that is there."""
        self._declared = declared
        self._environ = environ
        self._root = root
        self._open_vault = open_vault
        self._vault: Vault | None = None
        self._read: dict[str, Given | FtcError] = {}
        self._lock = threading.Lock()

    def read(self, name: str) -> Given:
        """Return the secret `name`.  Raises FtcError, whose message never holds a value."""
        with self._lock:
            if name not in self._read:
                try:
                    self._read[name] = self._read_now(name)
                except FtcError as error:
                    self._read[name] = error
            given = self._read[name]
        if isinstance(given, FtcError):
            raise type(given)(given.message, advice=given.advice)
        return given

    @property
    def problem(self) -> str:
        """Why the session could not log out, in one sentence; empty if it could."""
        return self._vault.problem if self._vault else ""

    def close(self) -> None:
        """Forget all values, and log out; may be called again."""
        self._read.clear()
        if self._vault:
            self._vault.close()

    def _read_now(self, name: str) -> Given:
        source = self._declared.sources.get(name)
        if source is None:
            return no_names(name)
        try:
            value = self.value_of(source)
        except FtcError as error:
            raise FtcError(f"secret {name}: {error.message}", advice=error.advice) from None
        if len(value) > _LARGEST:
            raise FtcError(f"secret {name}: its value has more than {_LARGEST} bytes, too many for a variable")
        if b"\0" in value and not source.as_file:
            raise FtcError(f"secret {name}: its value holds a zero byte, which no variable can")
        text = f"{_FOLDER}/{name}" if source.as_file else value.decode("utf-8", "surrogateescape")
        return Given(name, text, value, source.as_file)

    def value_of(self, source: SecretSource) -> bytes:
        """Return the value at `source`.  Raises FtcError."""
        if source.vault:
            self._vault = self._vault or self._open_vault()
            return self._vault.read(source.vault).encode("utf-8", "surrogateescape")
        return read_plain(source, self._environ, self._root)


def open_named(config: Config, cancelled: Callable[[], bool]) -> NamedReader:
    """Return the reader of the secrets that `config` declares; it asks no service any more when `cancelled`."""
    environ = dict(os.environ)

    def open_vault() -> Vault:
        vault: Vault = import_module("pytest_ftc.integrations.vault").VaultSecrets(
            config.secrets.vault, environ, partial(read_plain, environ=environ, root=config.root), cancelled
        )
        return vault

    return NamedReader(config.secrets, environ, config.root, open_vault)


def read_plain(source: SecretSource, environ: Mapping[str, str], root: Path) -> bytes:
    """Return the value that a variable or a file holds, without the newline at its end.  Raises FtcError."""
    if source.variable:
        if source.variable not in environ:
            raise FtcError(f"the variable {source.variable} is not set")
        return environ[source.variable].encode("utf-8", "surrogateescape")
    path = root / Path(source.file).expanduser()
    try:
        with open(path, "rb") as file:
            # No more: a device or a pipe may have no end.
            return file.read(_LARGEST + 2).removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise FtcError(f"{path}: {error.strerror or error}") from None
