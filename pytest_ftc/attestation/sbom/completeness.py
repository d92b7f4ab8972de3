"""What a software bill of materials lacks, by what is required of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.attestation.sbom.settings import NTIA

ROLE = "pytest-ftc:role"
"""The property that tells declared components from those of the build; its values are those of `Role`."""
TOOL = "tool"
"""The role of programs, which have a digest and neither version nor package URL; nothing is required of them."""


def check_completeness(document: Mapping[str, Any], require: Sequence[str]) -> list[str]:
    """Return what the valid CycloneDX `document` lacks of what is required, one sentence each.

    `require` has the names that docs/sbom.md explains; ``embedded`` is checked with the files, not here.
    """
    names = dict.fromkeys(part for name in require for part in (NTIA if name == "ntia" else (name,)))
    return [sentence for name in names for sentence in _check(document, name)]


def role_of(component: Mapping[str, Any]) -> str:
    """Return the role of `component`; ``declared`` if it has none, as in documents of others."""
    properties = component.get("properties", ())
    return next((str(one.get("value", "")) for one in properties if one.get("name") == ROLE), "declared")


def describe(component: Mapping[str, Any]) -> str:
    """Return by what to call `component`."""
    return str(component.get("purl") or f"{component.get('name')} {component.get('version', '')}".strip())


def _check(document: Mapping[str, Any], name: str) -> Iterator[str]:
    metadata = document.get("metadata", {})
    if name == "author":
        if not (metadata.get("authors") or metadata.get("manufacturer")):
            yield "the document has no author: set author in the table sbom"
    elif name == "timestamp":
        if not metadata.get("timestamp"):
            yield "the document has no timestamp: set source_date_epoch of the artifact"
    elif name == "relationships":
        yield from _find_unreachable(document)
    elif name != "embedded":
        role, _, part = name.rpartition(".")
        has = _PARTS[part]
        for component in document.get("components", ()):
            if role_of(component) == (role or "declared") and not has(component):
                yield f"{describe(component)} has no {part}"
        if not role and part in ("version", "supplier") and not has(metadata.get("component", {})):
            yield f"the artifact itself has no {part}{_ADVICE[part]}"


def _find_unreachable(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the declared components of which nothing says that the artifact needs them, even indirectly."""
    edges = {one["ref"]: one.get("dependsOn", ()) for one in document.get("dependencies", ())}
    reached, left = set(), [document.get("metadata", {}).get("component", {}).get("bom-ref")]
    while left:
        ref = left.pop()
        if ref not in reached:
            reached.add(ref)
            left += edges.get(ref, ())
    for component in document.get("components", ()):
        if role_of(component) == "declared" and component.get("bom-ref") not in reached:
            yield f"{describe(component)} has no relationship: nothing says what needs it"


def _has_hash(component: Mapping[str, Any]) -> bool:
    files = (one for one in component.get("externalReferences", ()) if one.get("type") == "distribution")
    return bool(component.get("hashes")) or any(one.get("hashes") for one in files)


_PARTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "version": lambda one: bool(one.get("version")),
    "purl": lambda one: bool(one.get("purl")),
    "hash": _has_hash,
    "licence": lambda one: bool(one.get("licenses")),
    "supplier": lambda one: bool(one.get("supplier")),
}
_ADVICE = {"version": ": no file in the root of its source says it", "supplier": ": set supplier in the table sbom"}
