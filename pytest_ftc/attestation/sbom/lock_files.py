"""The files of a source tree that declare dependencies."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_ftc.attestation.sbom.cargo import read_cargo
from pytest_ftc.attestation.sbom.component import Component, Declared, Project, Role, merge_components
from pytest_ftc.attestation.sbom.go import read_go
from pytest_ftc.attestation.sbom.npm import read_npm
from pytest_ftc.attestation.sbom.pylock import read_pylock
from pytest_ftc.attestation.sbom.python_project import read_pyproject
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.suggestion import did_you_mean

MOST_BYTES = 16 << 20
"""A larger file is refused."""
_READERS = {
    "pyproject.toml": read_pyproject,
    "package-lock.json": read_npm,
    "npm-shrinkwrap.json": read_npm,
    "Cargo.lock": read_cargo,
}


def choose_lock_files(recorded: Iterable[str], added: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files to read, and those that are left out.

    Those in the root of the source are read, and those `added`.  npm-shrinkwrap.json counts instead of
    package-lock.json, as for npm.  Raises ConfigurationError if one was not recorded.
    """
    known = sorted(recorded)
    for path in added:
        if path not in known:
            hint = did_you_mean(path, known)
            listed = ", ".join(known[:10]) or "none"
            raise ConfigurationError(f"sbom: files: the source has no {path!r}{hint}  Files that it has: {listed}")
    asked = set(added)
    chosen = [
        path for path in known if ("/" not in path and not re.fullmatch(r"pylock\..+\.toml", path)) or path in asked
    ]
    chosen = [path for path in chosen if path != "package-lock.json" or "npm-shrinkwrap.json" not in chosen]
    modules = {path.removesuffix(".mod") for path in chosen if path.rpartition("/")[2] == "go.mod"}
    beside = [path for path in known if path.removesuffix(".sum") in modules]
    chosen = sorted({*chosen, *beside})
    return chosen, [path for path in known if path not in chosen]


def read_lock_files(source: Path, chosen: Iterable[str], recorded: Mapping[str, str]) -> Declared:
    """Return what the `chosen` files below `source` declare; they must have the sha256 that was `recorded`.

    Raises DocumentError.
    """
    contents = {path: _read(source, path, recorded[path]) for path in chosen}
    parts = []
    for path, data in contents.items():
        folder, _, name = path.rpartition("/")
        beside = f"{folder}/go.sum" if folder else "go.sum"
        if name == "go.mod":
            parts.append(read_go(data, contents.get(beside, b""), path, beside))
        elif name != "go.sum":
            parts.append(_READERS.get(name, read_pylock)(data, path))
    return _join(parts)


def _read(source: Path, path: str, sha256: str) -> bytes:
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with open(os.open(source / path, flags), "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise DocumentError(f"{source / path}: {error.strerror or error}") from None
    if len(data) > MOST_BYTES:
        raise DocumentError(f"{source / path}: larger than {MOST_BYTES >> 20} MiB")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise DocumentError(f"{source / path}: not the file that was verified: it has changed since")
    return data


def _join(parts: Iterable[Declared]) -> Declared:
    parts = list(parts)
    locked: dict[str, list[Component]] = {}
    for part in parts:
        for one in part.components:
            if one.type == "pypi" and one.version and one.role is Role.DECLARED:
                locked.setdefault(one.name, []).append(one)
    components, instead = [], {}
    for one in (one for part in parts for one in part.components):
        if one.type == "pypi" and not one.version and one.role is Role.DECLARED and one.name in locked:
            instead[one.key] = locked[one.name]
        else:
            components.append(one)
    direct = [new for part in parts for key in part.direct for new in _replaced(key, instead)]
    return Declared(
        components=merge_components(components),
        direct=tuple(sorted(set(direct))),
        own=merge_components(one for part in parts for one in part.own),
        project=min((part.project for part in parts), key=_rank, default=Project()),
        notes=tuple(note for part in parts for note in part.notes),
    )


def _rank(project: Project) -> tuple[bool, bool, int]:
    """Return how well `project` says what an artifact is, the least for the best: many have an npm project beside."""
    order = ("pypi", "cargo", "golang", "npm")
    return not project.name, not project.version, order.index(project.type) if project.type else len(order)


def _replaced(key: str, instead: Mapping[str, list[Component]]) -> list[str]:
    """Return the keys of the locked versions of what is declared as `key`."""
    return [one.key for one in instead[key]] if key in instead else [key]
