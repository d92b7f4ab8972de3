"""``Cargo.lock``, versions 1 to 4.

See https://doc.rust-lang.org/cargo/reference/resolver.html and cargo's src/cargo/core/resolver/encode.rs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_ftc.attestation.sbom.component import Component, Declared, Project, Role, check_count
from pytest_ftc.attestation.sbom.hashes import read_hashes
from pytest_ftc.attestation.sbom.shapes import expect, named, parse_toml, take, texts, without_credentials
from pytest_ftc.attestation.strict_json import DocumentError

_INDEXES = ("registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/")
"""crates.io, under its two addresses."""


def read_cargo(data: bytes, where: str) -> Declared:
    """Return what the lock file `data` at `where` declares; packages without a source are those of the project.

    Raises DocumentError.
    """
    document = parse_toml(data, where)
    version = take(document, "version", int, where, 1)
    if version not in (1, 2, 3, 4):
        raise DocumentError(f"{where}: version: expected 1 to 4, found {version}")
    packages: list[Any] = take(document, "package", list, where, [])
    check_count(len(packages), where)
    old = take(document, "metadata", dict, where, {})
    entries = [(expect(one, dict, f"{where}: package"), f"{where}: package {i + 1}") for i, one in enumerate(packages)]
    found = [_describe(entry, at, where, old) for entry, at in entries]
    keys: dict[tuple[str, str, str], str] = {}
    for (entry, _), one in zip(entries, found, strict=True):
        source = entry.get("source", "")
        for version_named, source_named in (("", ""), (one.version, ""), (one.version, source)):
            keys.setdefault((one.name, version_named, source_named), one.key if source else "")
    components, direct = [], {}
    for entry, at in entries:
        needs = [key for text in texts(entry, "dependencies", at) if (key := _resolve(text, keys, at))]
        if entry.get("source"):
            components.append(_describe(entry, at, where, old, tuple(needs)))
        else:
            direct.update(dict.fromkeys(needs))
    local = [one for (entry, _), one in zip(entries, found, strict=True) if not entry.get("source")]
    only = local[0] if len(local) == 1 else None
    project = Project(type="cargo", name=only.name, version=only.version) if only else Project()
    notes = (f"{where} does not say which packages are used by tests and builds alone",) if components else ()
    own = tuple(replace(one, role=Role.SOURCE) for one in local)
    return Declared(components=tuple(components), direct=tuple(direct), own=own, project=project, notes=notes)


def _describe(
    entry: dict[str, Any], at: str, where: str, old: Mapping[str, Any], depends: tuple[str, ...] = ()
) -> Component:
    name, version = named(entry, "name", at), named(entry, "version", at)
    source = take(entry, "source", str, at, "")
    checksum = take(entry, "checksum", str, at, "")
    if not checksum:
        checksum = take(dict(old), f"checksum {name} {version} ({source})", str, f"{where}: metadata", "")
    return Component(
        type="cargo",
        name=name,
        version=version,
        qualifiers=_qualifiers(source),
        hashes=read_hashes({"sha256": checksum} if checksum and checksum != "<none>" else {}, f"{at}: checksum"),
        source=where,
        depends=depends,
    )


def _qualifiers(source: str) -> dict[str, str]:
    if not source or source in _INDEXES:
        return {}
    kind, _, rest = source.partition("+")
    address = without_credentials(rest)
    if not address:
        return {}
    if kind == "git":
        commit = rest.rpartition("#")[2] if "#" in rest else ""
        return {"vcs_url": f"git+{address}@{commit}" if commit else f"git+{address}"}
    return {"repository_url": address}


def _resolve(text: str, keys: Mapping[tuple[str, str, str], str], at: str) -> str:
    """Return the key of the package that ``NAME``, ``NAME VERSION`` or ``NAME VERSION (SOURCE)`` means.

    Empty for a package of the project itself.  Raises DocumentError if there is none.
    """
    name, _, rest = text.partition(" ")
    version, _, source = rest.partition(" ")
    key = keys.get((name, version, source.strip("()")))
    if key is None:
        raise DocumentError(f"{at}: dependencies: no package {text[:80]!r} is in this file")
    return key
