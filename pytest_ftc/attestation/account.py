"""What one side's attestations say of each of its outputs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_ftc.attestation.independence import look_up
from pytest_ftc.attestation.judge import Signed
from pytest_ftc.attestation.keyring import PublicKey
from pytest_ftc.attestation.others.rebuilds import find_missing
from pytest_ftc.attestation.parity import builder_of, read_parity
from pytest_ftc.attestation.provenance import BOOT, PROVENANCE_TYPE
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model import Verdict

INPUTS, TOOLCHAIN, ENVIRONMENT = "inputs", "toolchain", "environment"


@dataclass(slots=True)
class Account:
    """What is said of one output; sections of facts are by what they are about."""

    digests: set[str] = field(default_factory=set)
    builders: set[str] = field(default_factory=set)
    keys: list[PublicKey] = field(default_factory=list)
    is_negative: bool = False
    """Whether a verdict is that it is not reproducible."""
    varied: set[str] | None = None
    """The variations of its verdicts; None without a verdict."""
    facts: dict[str, dict[str, str]] = field(default_factory=dict)
    """From provenance, by section and name; empty without any."""
    machines: set[str] = field(default_factory=set)
    boots: set[str] = field(default_factory=set)
    images: set[str] = field(default_factory=set)


def read_accounts(signed: Sequence[Signed]) -> dict[str, Account]:
    """Return what statements say of each output, by its name.  Raises DocumentError."""
    accounts: dict[str, Account] = {}
    for one in signed:
        statement = one.statement
        # Equality after stabilization says nothing of bytes, nor does another step of a supply chain.
        if find_missing(statement):
            continue
        for subject in statement.subjects:
            sha256 = subject.digest.get("sha256")
            if sha256 and not subject.is_of_experiment:
                account = accounts.setdefault(subject.name, Account())
                account.digests.add(sha256)
                account.keys += one.keys
                _add(account, one)
    return accounts


def _add(account: Account, signed: Signed) -> None:
    statement = signed.statement
    if builder := builder_of(statement):
        account.builders.add(builder)
    # A link names none; its key may.
    elif any(len(key.builders) == 1 for key in signed.keys):
        account.builders |= {key.builders[0] for key in signed.keys if len(key.builders) == 1}
    try:
        evidence = read_parity(statement)
    except DocumentError as error:
        raise DocumentError(f"{signed.source}: {error}") from None
    if evidence:
        account.is_negative |= evidence.verdict is Verdict.UNREPRODUCIBLE
        account.varied = {*(account.varied or ()), *evidence.varied}
    if statement.predicate_type == PROVENANCE_TYPE:
        _add_provenance(account, statement)


def _add_provenance(account: Account, statement: Statement) -> None:
    definition = look_up(statement.predicate, "buildDefinition")
    for name, value in _items(look_up(definition, "externalParameters")):
        _note(account, INPUTS, name, value)
    for name, value in _items(look_up(definition, "internalParameters")):
        if name != "machine":
            _note(account, ENVIRONMENT, name, value)
    for one in _objects(look_up(definition, "resolvedDependencies")):
        name = str(one.get("name") or one.get("uri"))
        uri = str(one.get("uri") or "")
        is_tool = name.startswith("/") or name == "build requirements"
        section = TOOLCHAIN if is_tool else ENVIRONMENT if uri.startswith("pkg:") else INPUTS
        digest = one.get("digest")
        plain = next(iter(digest.values())) if isinstance(digest, Mapping) and len(digest) == 1 else digest
        _note(account, section, name, plain or uri)
    _add_text(account.machines, look_up(definition, "internalParameters", "machine"))
    _add_text(account.images, look_up(definition, "internalParameters", "image"))
    for one in _objects(look_up(statement.predicate, "runDetails", "byproducts")):
        if one.get("name") == BOOT:
            _add_text(account.boots, look_up(one, "digest", "sha256"))


def _note(account: Account, section: str, name: str, value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    facts = account.facts.setdefault(section, {})
    # Two statements of one side that disagree are shown both.
    facts[name] = text if facts.get(name, text) == text else f"{facts[name]} or {text}"


def _items(value: Any) -> list[tuple[str, Any]]:
    return sorted(value.items()) if isinstance(value, Mapping) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _add_text(texts: set[str], value: object) -> None:
    if isinstance(value, str) and value:
        texts.add(value)
