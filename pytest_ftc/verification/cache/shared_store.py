"""Connecting to the farm of ``[tool.ftc.remote]`` as a store that sessions share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.secret_sources import SecretSource
from pytest_ftc.config.load import Config
from pytest_ftc.config.remote import RemoteSettings
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.bounded_file import read_regular
from pytest_ftc.verification.cache.open import Connect
from pytest_ftc.verification.confidential.named import open_named

_LARGEST_PEM = 1 << 20
"""Bytes."""


def find_shared_store(config: Config, cancelled: Callable[[], bool]) -> Connect | None:
    """Return what connects to the shared store of `config`; None if it has none.  Nothing is loaded before.

    Secrets for headers are not asked for any more when `cancelled`.
    """
    remote = config.remote
    if remote is None or not remote.store:
        return None

    def connect(key: bytes) -> Any:
        integration = import_module("pytest_ftc.integrations.reapi.shared_store")
        return integration.open_shared_store(read_address(remote, config, cancelled), key)

    return connect


def read_address(remote: RemoteSettings, config: Config, cancelled: Callable[[], bool]) -> Any:
    """Return the ``RemoteAddress`` of `remote`, with the values of its secrets.

    Raises FtcError, whose message never holds a value.
    """
    return import_module("pytest_ftc.integrations.reapi.address").RemoteAddress(
        target=remote.target,
        instance=remote.instance,
        secure=remote.secure,
        headers=read_headers(remote.headers, config, cancelled),
        **{name: _read_pem(path) for name in ("ca", "cert", "key") if (path := getattr(remote, name))},
    )


def read_headers(headers: Mapping[str, SecretSource], config: Config, cancelled: Callable[[], bool]) -> dict[str, str]:
    """Return the values of `headers`.  Raises FtcError, whose message never holds a value."""
    if not headers:
        return {}
    reader = open_named(config, cancelled)
    try:
        return {name: _printable(name, reader.value_of(source)) for name, source in headers.items()}
    finally:
        reader.close()


def _printable(name: str, value: bytes) -> str:
    """Return a value of HTTP and gRPC: ASCII-Value of https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md."""
    if not all(0x20 <= byte < 0x7F for byte in value):
        raise FtcError(f"header {name}: its value is not printable ASCII text")
    return value.decode("ascii")


def _read_pem(path: Path) -> bytes:
    try:
        return read_regular(path, _LARGEST_PEM)
    except (OSError, ValueError) as error:
        raise FtcError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
