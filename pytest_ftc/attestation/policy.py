"""Policies: what must be attested, and by whom, before an artifact is accepted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pytest_ftc.attestation.keyring import PublicKey, load_keyring, read_keys
from pytest_ftc.attestation.toml_tables import Table, load_toml
from pytest_ftc.model.errors import ConfigurationError

_REQUIREMENTS = (
    "keys", "operators", "builders", "builds", "machines", "varied", "schemes", "provenance", "max_age", "negative",
    "log", "sbom",
)  # fmt: skip
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is required of the attestations of an artifact."""

    trusted: Mapping[str, PublicKey]
    keys: int = 1
    """Least number of distinct keys that attest it."""
    operators: int = 1
    builders: int = 1
    builds: int = 2
    """Least number of builds that agree, over all attestations counted."""
    machines: int = 1
    varied: tuple[str, ...] = ()
    """Variations that must have been active in each attestation counted."""
    schemes: tuple[str, ...] = ()
    """Kinds of keys, such as ``ed25519`` and ``ml-dsa-65``, each of which must have signed each of them."""
    provenance: bool = False
    """Whether signed provenance is required too."""
    sbom: bool = False
    """Whether a signed SBOM is required too."""
    max_age: timedelta | None = None
    """How old the newest signed provenance may be."""
    log: bool = False
    """Whether each attestation counted must prove that its verdict is in a log."""
    refuses_negative: bool = True
    """Whether one signed attestation of an unreproducible verdict refuses the artifact."""


def load_policy(path: Path) -> Policy:
    """Return the policy in the file `path`.  Raises ConfigurationError."""
    tables = load_toml(path)
    top = Table(path, "", tables)
    top.check("keyring", "keys", "require")
    trusted = read_keys(path, tables.get("keys", {}))
    keyring = top.get("keyring", str)
    if keyring:
        trusted = {**load_keyring(path.parent / keyring), **trusted}
    if not trusted:
        raise ConfigurationError(
            f'{path}: no key is trusted: add [keys.NAME] with file = "NAME.pub", or keyring = FILE'
        )
    require = Table(path, "require", tables.get("require", {}))
    require.check(*_REQUIREMENTS)
    negative = require.get("negative", str, "refuse")
    if negative not in ("refuse", "ignore"):
        raise require.error("negative", "'refuse' or 'ignore'")
    return Policy(
        trusted=trusted,
        keys=require.count("keys", 1),
        operators=require.count("operators", 1),
        builders=require.count("builders", 1),
        builds=require.count("builds", 2),
        machines=require.count("machines", 1),
        varied=require.texts("varied"),
        schemes=require.texts("schemes"),
        provenance=require.get("provenance", bool, False),
        sbom=require.get("sbom", bool, False),
        max_age=_read_age(require),
        log=require.get("log", bool, False),
        refuses_negative=negative == "refuse",
    )


def _read_age(require: Table) -> timedelta | None:
    text = require.get("max_age", str)
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]{1,5})([hdw])", text)
    if match is None:
        raise require.error("max_age", "an age such as '90d', '12h' or '2w'")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})
