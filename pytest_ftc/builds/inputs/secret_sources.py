"""The sources of named secrets: ``[tool.ftc.secrets]`` says where each value is, and never holds one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""A name of a secret, which is that of a variable in the shell."""
_VAULT = re.compile(
    r"vault:(?P<mount>[^/?#]+)/(?P<path>[^?#]+)(?:\?version=(?P<version>[1-9][0-9]{0,8}))?#(?P<field>.+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultField:
    """A field of a secret in a KV engine of version 2, see https://openbao.org/docs/secrets/kv/kv-v2/."""

    mount: str
    path: str
    version: int | None
    """None for the newest."""
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSource:
    """Where the value of one secret is."""

    variable: str = ""
    """Of the environment of pytest."""
    file: str = ""
    """A path, relative to the folder of the configuration file."""
    vault: VaultField | None = None
    as_file: bool = False
    """Whether builds get the path of a file with the value, and not the value itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultLogin:
    """How to log in to Vault or OpenBao: ``[tool.ftc.vault]``.  Credentials are ``env:VARIABLE`` or ``file:PATH``."""

    token: str = ""
    """Empty for VAULT_TOKEN, or else the file ``~/.vault-token`` of the command line of Vault."""
    role_id: str = ""
    """Of an AppRole, to log in with instead of a token; empty for none."""
    secret_id: str = ""
    approle: str = "approle"
    """Where the AppRole method is mounted."""
    seconds: float = 10.0
    """How long one call may take."""
    plain_http: bool = False
    """Whether plain HTTP may be used to another machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSecrets:
    """What a project declares of secrets."""

    sources: Mapping[str, SecretSource] = field(default_factory=dict)
    vault: VaultLogin = field(default_factory=VaultLogin)


def parse_source(text: str) -> SecretSource | None:
    """Return the source that `text` names: ``env:VARIABLE``, ``file:PATH`` or ``vault:MOUNT/PATH#FIELD``; else None.

    ``?version=N`` before the field selects a version.  A slash in the name of a mount is written as ``%2F``.
    """
    kind, _, rest = text.partition(":")
    if "\0" in text or not rest.strip():
        return None
    if kind == "env":
        return SecretSource(variable=rest) if "=" not in rest else None
    if kind == "file":
        return SecretSource(file=rest)
    match = _VAULT.fullmatch(text)
    if not match:
        return None
    mount, path = match["mount"].replace("%2F", "/"), match["path"]
    # Clients resolve such segments, and would ask for another path than is written here.
    if any(part in ("", ".", "..") for part in f"{mount}/{path}".split("/")) or not f"{mount}{path}".isprintable():
        return None
    version = int(match["version"]) if match["version"] else None
    return SecretSource(vault=VaultField(mount=mount, path=path, version=version, field=match["field"]))
