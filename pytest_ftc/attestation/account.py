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

_OR = " or "
_LONGEST = 1000
"""Characters of a fact about which statements disagree."""
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

    def add(self, other: Account) -> None:
        """Add what `other` says, but for its digests."""
        self.builders |= other.builders
        self.keys += [key for key in other.keys if key not in self.keys]
        self.is_negative |= other.is_negative
        if other.varied is not None:
            self.varied = {*(self.varied or ()), *other.varied}
        for section, facts in other.facts.items():
            for name, text in facts.items():
                self.note(section, name, text)
        self.machines |= other.machines
        self.boots |= other.boots
        self.images |= other.images

    def note(self, section: str, name: str, text: str) -> None:
        """Note a fact; where statements of one side disagree, both are noted."""
        facts = self.facts.setdefault(section, {})
        known = facts.setdefault(name, text)
        if text not in known.split(_OR) and len(known) < _LONGEST:
            facts[name] = f"{known}{_OR}{text}"


def read_accounts(signed: Sequence[Signed]) -> dict[str, Account]:
    """Return what statements say of each output, by its name.  Raises DocumentError."""
    accounts: dict[str, Account] = {}
    for one in signed:
        # Equality after stabilization says nothing of bytes, nor does another step of a supply chain.
        if find_missing(one.statement):
            continue
        said = _read(one)
        for subject in one.statement.files:
            sha256 = subject.digest.get("sha256")
            if sha256:
                account = accounts.setdefault(subject.name, Account())
                account.digests.add(sha256)
                account.add(said)
    return accounts


def _read(signed: Signed) -> Account:
    """Return what one statement says of all its subjects."""
    statement = signed.statement
    account = Account(keys=list(signed.keys))
    if builder := builder_of(statement):
        account.builders.add(builder)
    else:
        # A link names none; its key may.
        account.builders |= {key.builders[0] for key in signed.keys if len(key.builders) == 1}
    try:
        evidence = read_parity(statement)
    except DocumentError as error:
        raise DocumentError(f"{signed.source}: {error}") from None
    if evidence:
        account.is_negative = evidence.verdict is Verdict.UNREPRODUCIBLE
        account.varied = set(evidence.varied)
    if statement.predicate_type == PROVENANCE_TYPE:
        _add_provenance(account, statement)
    return account


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
    account.note(section, name, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _items(value: Any) -> list[tuple[str, Any]]:
    return sorted(value.items()) if isinstance(value, Mapping) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _add_text(texts: set[str], value: object) -> None:
    if isinstance(value, str) and value:
        texts.add(value)
