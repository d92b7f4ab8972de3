"""Writes and validates CycloneDX documents in JSON, by cyclonedx-python-lib.

See https://cyclonedx.org/docs/1.6/json/.  Formulas (``formulation``) are not written: the library has none, and few
readers use them.  What only the build used has the scope ``excluded`` and a property instead.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5

from pytest_ftc.attestation.sbom.inventory import Inventory
from pytest_ftc.attestation.sbom.pylock import NO_EXTRA
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.sbom.entries import make_entry, make_root, make_tool
from pytest_ftc.integrations.signers import NotInstalledError

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom, BomMetaData
    from cyclonedx.validation.json import JsonStrictValidator

_LONG = ("components", "dependencies")
"""The lists of a document with an entry for each component."""
_FEW = 100
UNKNOWN = "pytest-ftc:unknown"
"""The property for each sentence about what is not known."""


def make_document(inventory: Inventory, settings: SbomSettings, version: str) -> dict[str, Any]:
    """Return `inventory` as a CycloneDX document, made by this `version` of pytest-ftc.

    Equal inventories give equal documents.  Raises NotInstalledError, DocumentError for values that CycloneDX forbids.
    """
    try:
        from cyclonedx.exception import CycloneDxException
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    try:
        document = _write(_make_bom(inventory, settings, version), settings.spec)
    except (CycloneDxException, OverflowError, ValueError) as error:
        raise DocumentError(f"{inventory.name}: SBOM: {error}") from None
    if inventory.timestamp is None:
        del document["metadata"]["timestamp"]
    del document["serialNumber"]
    content = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    subjects = ",".join(f"sha256:{one.digest['sha256']}" for one in inventory.outputs)
    document["serialNumber"] = uuid5(NAMESPACE_URL, f"{subjects}#{content}").urn
    if problem := find_invalid(encode_document(document)):
        raise DocumentError(f"{inventory.name}: SBOM: {problem}")
    return document


def encode_document(document: Mapping[str, Any]) -> bytes:
    """Return `document` as JSON."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def find_invalid(data: bytes) -> str:
    """Return what makes `data` no valid CycloneDX document, by the strict schema of its version; empty if it is one.

    Raises NotInstalledError.
    """
    document = json.loads(data)
    spec = document.get("specVersion")
    validator = _make_validator(spec) if isinstance(spec, str) else None
    if validator is None:
        return f"specVersion: expected 1.2 to 1.7, found {str(spec)[:80]!r}"
    for part in _split(document):
        if problem := validator.validate_str(json.dumps(part)):
            place = "/".join(map(str, problem.data.absolute_path))[:200]
            return f"not valid for CycloneDX {spec}: {place or 'the document'}: {problem.data.message[:200]}"
    return ""


def _split(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield `document` in parts of few items: the validator compares each item of a list with all others."""
    lists = {name: document[name] for name in _LONG if isinstance(document.get(name), list)}
    rounds = max((len(items) for items in lists.values()), default=0)
    for start in range(0, max(rounds, 1), _FEW):
        yield {**document, **{name: items[start : start + _FEW] for name, items in lists.items()}}


@cache
def _make_validator(spec: str) -> JsonStrictValidator | None:
    try:
        from cyclonedx.exception import MissingOptionalDependencyException
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError:
        raise NotInstalledError(NO_EXTRA) from None
    try:
        schema = SchemaVersion.from_version(spec)
        validator = JsonStrictValidator(schema)
        validator.validate_str("{}")
    except MissingOptionalDependencyException:
        raise NotInstalledError(NO_EXTRA) from None
    except (NotImplementedError, TypeError, ValueError, KeyError):
        return None
    return validator


def _make_bom(inventory: Inventory, settings: SbomSettings, version: str) -> Bom:
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.dependency import Dependency

    root = make_root(inventory, settings)
    bom = Bom(serial_number=UUID(int=0), metadata=_make_metadata(inventory, settings, version))
    bom.metadata.component = root
    entries = {one.key: make_entry(one, settings.suppliers) for one in inventory.components}
    bom.components.update(entries.values())
    bom.components.update(make_tool(one) for one in inventory.tools)
    needs = {entries[one.key].bom_ref: one.depends for one in inventory.components}
    # What only the build used is not in the artifact, and no part of its dependency graph.
    needs[root.bom_ref] = inventory.direct
    # Bom.register_dependency looks through all of them each time.
    bom.dependencies = [
        Dependency(ref, [Dependency(entries[key].bom_ref) for key in keys if key in entries])
        for ref, keys in needs.items()
    ]
    return bom


def _make_metadata(inventory: Inventory, settings: SbomSettings, version: str) -> BomMetaData:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import BomMetaData
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.model.contact import OrganizationalContact, OrganizationalEntity
    from cyclonedx.model.lifecycle import LifecyclePhase, PredefinedLifecycle
    from cyclonedx.model.tool import ToolRepository

    known = {"sourceTree": inventory.source, "gitCommit": inventory.commit, "platform": inventory.platform}
    return BomMetaData(
        timestamp=datetime.fromtimestamp(inventory.timestamp or 0, timezone.utc),
        tools=ToolRepository(
            components=[Component(name="pytest-ftc", version=version, type=ComponentType.APPLICATION)]
        ),
        authors=[OrganizationalContact(name=settings.author)] if settings.author else (),
        supplier=OrganizationalEntity(name=settings.supplier) if settings.supplier else None,
        lifecycles=[PredefinedLifecycle(phase=LifecyclePhase.BUILD)],
        properties=[
            *(Property(name=f"pytest-ftc:{name}", value=value) for name, value in known.items() if value),
            *(Property(name=UNKNOWN, value=note) for note in inventory.notes),
        ],
    )


def _write(bom: Bom, spec: str) -> dict[str, Any]:
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    with warnings.catch_warnings():
        # The library warns about an artifact without dependencies, which is nothing unusual.
        warnings.simplefilter("ignore", UserWarning)
        text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.from_version(spec)).output_as_string()
    document: dict[str, Any] = json.loads(text)
    return document
