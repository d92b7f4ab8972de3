"""Reads ``[tool.ftc.secrets]`` and ``[tool.ftc.vault]``.  No error quotes a value: it may be a secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest_ftc.builds.inputs.secret_sources import NAME, NamedSecrets, SecretSource, VaultLogin, parse_source
from pytest_ftc.config.location import Place, quoted
from pytest_ftc.config.table import reject_unknown
from pytest_ftc.model import Artifact
from pytest_ftc.model.support.suggestion import suggest

TABLES = ("secrets", "vault")
_SOURCE = "'env:VARIABLE', 'file:PATH' or 'vault:MOUNT/PATH#FIELD'"
_CREDENTIAL = "'env:VARIABLE' or 'file:PATH'"
_KINDS = ("env", "file", "vault")
_IN_TABLE = ("source", "file")
_LONGEST = 3600


def read_named_secrets(place: Place, tables: Mapping[str, Any]) -> NamedSecrets:
    """Return the secrets that `tables`, those of the session, declare by name.  Raises ConfigurationError."""
    for key in TABLES:
        if not isinstance(tables.get(key, {}), dict):
            place.fail(key, f"expected a table, found {_kind_of(tables[key])}")
    below = place.below("secrets")
    return NamedSecrets(
        sources={name: _read_source(below, name, value) for name, value in tables.get("secrets", {}).items()},
        vault=_read_login(place.below("vault"), tables.get("vault", {})),
    )


def check_names(place: Place, artifacts: Iterable[Artifact], declared: NamedSecrets) -> None:
    """Raise ConfigurationError if one of the `artifacts` asks for a secret that is not `declared`."""
    for artifact in artifacts:
        for name in artifact.secrets:
            if NAME.fullmatch(name) and name not in declared.sources:
                hint = suggest(name, declared.sources)
                advice = f"did you mean {hint!r}?" if hint else f"declare it there, or write 'env:{name}'"
                table = place.below("secrets").table
                place.below("artifacts").below(quoted(artifact.name)).fail(
                    "secrets", f"[{table}] has no secret {name!r}; {advice}"
                )


def _read_source(place: Place, name: str, value: Any) -> SecretSource:
    if not NAME.fullmatch(name):
        place.fail(quoted(name), "expected the name of a variable: letters, digits and '_'", about=f"{name!r}:")
    if isinstance(value, dict):
        return _read_source_table(place.below(name), value)
    source = parse_source(value) if isinstance(value, str) else None
    if source is None:
        place.fail(name, f"expected {_SOURCE}, or a table with source, found {_kind_of(value)}")
    return source


def _read_source_table(place: Place, table: Mapping[str, Any]) -> SecretSource:
    reject_unknown(place, table, _IN_TABLE)
    source = parse_source(table["source"]) if isinstance(table.get("source"), str) else None
    if source is None:
        place.fail("source", f"expected {_SOURCE}, found {_kind_of(table.get('source'))}")
    if not isinstance(table.get("file", False), bool):
        place.fail("file", f"expected true or false, found {_kind_of(table['file'])}")
    return replace(source, as_file=table.get("file", False))


def _read_login(place: Place, table: Mapping[str, Any]) -> VaultLogin:
    reject_unknown(place, table, list(_LOGIN))
    for key, value in table.items():
        is_valid, expected = _LOGIN[key]
        if not is_valid(value):
            place.fail(key, f"expected {expected}, found {_kind_of(value)}")
    if "token" in table and "role_id" in table:
        place.fail("token", "expected only one of token and role_id")
    if "secret_id" in table and "role_id" not in table:
        place.fail("secret_id", "expected role_id beside it")
    return VaultLogin(**table)


def _is_credential(value: Any) -> bool:
    source = parse_source(value) if isinstance(value, str) else None
    return source is not None and source.vault is None


def _is_mount(value: Any) -> bool:
    parts = value.strip("/").split("/") if isinstance(value, str) else ()
    return all(re.fullmatch(r"(?!\.+$)[\w.-]+", part, re.ASCII) for part in parts) and bool(parts)


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST


_LOGIN: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "token": (_is_credential, _CREDENTIAL),
    "role_id": (_is_credential, _CREDENTIAL),
    "secret_id": (_is_credential, _CREDENTIAL),
    "approle": (_is_mount, "where the AppRole method is mounted, such as 'approle'"),
    "seconds": (_is_time, f"a number of seconds up to {_LONGEST}"),
    "plain_http": (lambda value: isinstance(value, bool), "true or false"),
}
"""The keys of ``[tool.ftc.vault]``."""


def _kind_of(value: Any) -> str:
    """Return what `value` is, without what it may hold."""
    if not isinstance(value, str):
        return f"a value of the type {type(value).__name__}"
    kind, colon, _ = value.partition(":")
    near = suggest(kind, _KINDS) if colon else None
    if near is None:
        return "other text, which is not shown because it may be a secret"
    return f"{kind}: with something else behind it" if kind == near else f"{kind}:; did you mean '{near}:'?"
