"""How an SBOM that somebody else made differs from ours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pytest_ftc.attestation.sbom.completeness import role_of
from pytest_ftc.attestation.sbom.component import MOST_COMPONENTS
from pytest_ftc.attestation.strict_json import DocumentError

_MOST = 50
"""Differences named; further ones are counted."""


def compare_embedded(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> list[str]:
    """Return how the CycloneDX document `theirs` differs from `ours`, one sentence each.

    Packages are the same by package URL without the version.  What the artifact needs and the other document lacks
    is named for those ecosystems alone that it describes: an SBOM in a wheel often lists the libraries it bundles, and
    nothing else.  Both must be valid.  Raises DocumentError if one has too many components.
    """
    differences = [*_compare(_list_components(theirs), [*_list_components(ours), *_list_own(ours)])]
    more = len(differences) - _MOST
    return differences[:_MOST] + ([f"and {more} more differences"] if more > 0 else [])


def _compare(theirs: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    known = _group(ours)
    listed = _group(theirs)
    unnamed = sum(1 for one in theirs if not one.get("purl") and one.get("type") != "file")
    for package, entries in sorted(listed.items()):
        for entry in entries:
            yield from _compare_entry(entry, package, known.get(package, []))
    described = {_type(package) for package in listed}
    for package, entries in sorted(known.items()):
        needed = [one for one in entries if role_of(one) == "declared" and one.get("scope") != "excluded"]
        if needed and package not in listed and _type(package) in described:
            yield f"it lacks {needed[0]['purl']}"
    if unnamed:
        yield f"{unnamed} of its components have no package URL, and were not compared"


def _compare_entry(entry: Mapping[str, Any], package: str, known: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not known:
        yield f"it lists {entry['purl']}, which the lock files and the build environment do not have"
        return
    version = str(entry.get("version", ""))
    same = [one for one in known if one.get("version", "") in ("", version)]
    if not same and version:
        versions = ", ".join(sorted({str(one["version"]) for one in known}))
        yield f"it lists {package} in version {version}, and here it is {versions}"
    for algorithm, digests in _hashes([entry]).items():
        expected = _hashes(same).get(algorithm)
        if expected and not digests & expected:
            yield f"it lists {entry['purl']} with another {algorithm} digest: {', '.join(sorted(digests))}"


def _list_components(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the components of `document`, also those within others."""
    found: list[Mapping[str, Any]] = []
    left = list(document.get("components", ()))
    while left:
        one = left.pop()
        found.append(one)
        left += one.get("components", ())
        if len(found) > MOST_COMPONENTS:
            raise DocumentError(f"more than {MOST_COMPONENTS} components")
    return sorted(found, key=lambda one: (str(one.get("purl", "")), str(one.get("bom-ref", ""))))


def _list_own(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the artifact that `document` is about, and its parts."""
    root = document.get("metadata", {}).get("component")
    return [{**root, "scope": "excluded"}, *_list_components(root)] if root else []


def _group(components: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for one in components:
        if purl := one.get("purl"):
            # The version follows the last "@"; in names it is escaped.
            bare = str(purl).partition("?")[0].partition("#")[0]
            groups.setdefault(bare.rpartition("@")[0] or bare, []).append(one)
    return groups


def _hashes(components: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in components:
        for each in one.get("hashes", ()):
            found.setdefault(each["alg"], set()).add(each["content"].lower())
    return found


def _type(package: str) -> str:
    return package.partition("/")[0]
