"""Public keys: their operators, and how long their signatures are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

from pytest_ftc.attestation.toml_tables import Table, load_toml
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.bounded_file import read_regular

_MOST_BYTES = 1 << 16
"""Of a file with a public key; those of post-quantum schemes have some thousands."""
_KEYS = ("file", "operator", "builders", "until", "retired", "signer")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A public key that a policy knows."""

    name: str
    pem: bytes
    """A SubjectPublicKeyInfo in PEM (RFC 7468)."""
    operator: str
    """Who holds the private key; two keys of one operator are not independent."""
    builders: tuple[str, ...] = ()
    """The URIs of the builders that it may speak for; empty for any."""
    until: datetime | None = None
    """When its signatures become invalid."""
    retired: bool = False
    """Whether none of its signatures is valid any more."""
    signer: str = ""
    """The URI of the service or token that holds the private key; empty where a file beside holds it, or nobody."""

    def counts_at(self, moment: datetime) -> bool:
        """Return whether its signatures are valid at this `moment`."""
        return not self.retired and (self.until is None or moment < self.until)


def load_keyring(path: Path) -> dict[str, PublicKey]:
    """Return the keys in the file `path`, by name.  Raises ConfigurationError."""
    tables = load_toml(path)
    Table(path, "", tables).check("keys")
    return read_keys(path, tables.get("keys", {}))


def read_keys(path: Path, tables: Mapping[str, Any]) -> dict[str, PublicKey]:
    """Return the keys in the `tables` of the file `path`, to which their files are relative.

    Raises ConfigurationError.
    """
    Table(path, "keys", tables)
    return {name: _read_key(path, name, values) for name, values in tables.items()}


def _read_key(path: Path, name: str, values: object) -> PublicKey:
    table = Table(path, f"keys.{name}", values)
    table.check(*_KEYS)
    file = table.get("file", str)
    if not file:
        raise table.error("file", "the path of a public key in PEM")
    try:
        pem = read_regular(path.parent / file, _MOST_BYTES)
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else None
        raise ConfigurationError(f"{path}: keys.{name}.file: {file}: {said or error}") from None
    if b"-----BEGIN PUBLIC KEY-----" not in pem:
        raise ConfigurationError(f"{path}: keys.{name}.file: {file}: expected a public key in PEM (BEGIN PUBLIC KEY)")
    return PublicKey(
        name=name,
        pem=pem,
        operator=table.get("operator", str, name),
        builders=table.texts("builders"),
        until=_read_until(table),
        retired=table.get("retired", bool, False),
        signer=table.get("signer", str, ""),
    )


def _read_until(table: Table) -> datetime | None:
    value = table.get("until", date)
    if value is None:
        return None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    return datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
