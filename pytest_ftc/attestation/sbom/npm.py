"""``package-lock.json`` and ``npm-shrinkwrap.json``, versions 2 and 3.

See https://docs.npmjs.com/cli/configuring-npm/package-lock-json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pytest_ftc.attestation.sbom.component import Component, Declared, File, Project, Role, Scope, check_count
from pytest_ftc.attestation.sbom.hashes import read_integrity
from pytest_ftc.attestation.sbom.shapes import expect, take, without_credentials
from pytest_ftc.attestation.strict_json import DocumentError, parse_object

_FOLDER = "node_modules/"
_DEEPEST = 64
"""Levels of nested packages."""
_MOST_EDGES = 500_000


def read_npm(data: bytes, where: str) -> Declared:
    """Return what the lock file `data` at `where` declares.  Raises DocumentError."""
    document = parse_object(data, where)
    version = take(document, "lockfileVersion", int, where)
    if version not in (2, 3):
        raise DocumentError(
            f"{where}: lockfileVersion: expected 2 or 3, found {version}; "
            "`npm install --package-lock-only --lockfile-version=3` converts it"
        )
    packages: dict[str, Any] = take(document, "packages", dict, where)
    check_count(len(packages), where)
    for path, entry in packages.items():
        expect(entry, dict, f"{where}: packages: {path[:80]!r}")
        if path.count(_FOLDER) > _DEEPEST:
            raise DocumentError(f"{where}: packages: nested deeper than {_DEEPEST} levels: {path[:80]!r}")
    return _Lock(packages, where).read()


class _Lock:
    """The packages of a lock file, by the path at which they are installed."""

    def __init__(self, packages: Mapping[str, dict[str, Any]], where: str) -> None:
        self._packages = packages
        self._where = f"{where}: packages"
        self._file = where
        self._edges = 0
        self._keys: dict[str, str] = {}

    def read(self) -> Declared:
        bare = {path: self._describe(path) for path in self._packages if self._is_installed(path)}
        self._keys = {path: one.key for path, one in bare.items()}
        components = tuple(self._describe(path, tuple(self._needs(path))) for path in bare)
        local = [path for path in self._packages if path not in bare and not self._packages[path].get("link")]
        direct = dict.fromkeys(key for path in local for key in self._needs(path))
        root = self._packages.get("", {})
        at = f"{self._where}: ''"
        project = Project(
            type="npm",
            name=take(root, "name", str, at, ""),
            version=take(root, "version", str, at, ""),
            licence=_licence(root),
        )
        own = tuple(replace(self._describe(path), role=Role.SOURCE) for path in local if path)
        return Declared(components=components, direct=tuple(direct), own=own, project=project)

    def _is_installed(self, path: str) -> bool:
        """Return whether it comes from outside; others are workspaces, part of the source tree."""
        return _FOLDER in path and not self._packages[path].get("link")

    def _describe(self, path: str, depends: tuple[str, ...] = ()) -> Component:
        entry, at = self._packages[path], f"{self._where}: {path[:80]!r}"
        full = expect(entry.get("name") or _name_at(path), str, at)
        namespace, _, name = full.rpartition("/")
        if not name:
            raise DocumentError(f"{at}: expected the name of a package")
        url = without_credentials(take(entry, "resolved", str, at, ""))
        return Component(
            type="npm",
            namespace=namespace,
            name=name,
            version=take(entry, "version", str, at, ""),
            scope=_scope(entry),
            hashes=read_integrity(take(entry, "integrity", str, at, ""), f"{at}: integrity"),
            files=(File(url=url),) if url else (),
            licence=_licence(entry),
            source=self._file,
            depends=depends,
        )

    def _needs(self, path: str) -> Iterator[str]:
        """Yield the keys of the packages that the one at `path` uses, found as Node.js finds modules."""
        entry, at = self._packages[path], f"{self._where}: {path[:80]!r}"
        kinds = ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies")
        for kind in kinds if path not in self._keys else kinds[:3]:
            for name in take(entry, kind, dict, at, {}):
                self._edges += 1
                if self._edges > _MOST_EDGES:
                    raise DocumentError(f"{self._file}: more than {_MOST_EDGES} dependencies")
                found = next((one for one in _candidates(path, name) if one in self._keys), None)
                if found is not None:
                    yield self._keys[found]


def _candidates(path: str, name: str) -> Iterator[str]:
    """Yield where Node.js looks for the module `name` used at `path`, nearest first."""
    folder = path
    while folder:
        yield f"{folder}/{_FOLDER}{name}"
        folder = folder.rpartition(f"/{_FOLDER}")[0] if f"/{_FOLDER}" in folder else ""
    yield f"{_FOLDER}{name}"


def _name_at(path: str) -> str:
    """Return the name of the package that is installed at `path`, or of the workspace there."""
    return path.rpartition(_FOLDER)[2] if _FOLDER in path else path.rpartition("/")[2]


def _scope(entry: Mapping[str, Any]) -> Scope:
    if entry.get("dev") is True:
        return Scope.EXCLUDED
    optional = any(entry.get(name) is True for name in ("optional", "devOptional", "peer"))
    return Scope.OPTIONAL if optional else Scope.REQUIRED


def _licence(entry: Mapping[str, Any]) -> str:
    """Return the licence; old packages have a table or a list of them, of which the type counts."""
    value = entry.get("license") or entry.get("licenses")
    values = value if isinstance(value, list) else [value]
    names = [one.get("type") if isinstance(one, dict) else one for one in values]
    texts = [one for one in names if isinstance(one, str) and one.isprintable() and len(one) < 200]
    return " OR ".join(texts)
