"""``[project]`` and ``[build-system]`` of ``pyproject.toml``.

See https://packaging.python.org/en/latest/specifications/pyproject-toml/.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pytest_ftc.attestation.sbom.component import Component, Declared, Project, Role, Scope
from pytest_ftc.attestation.sbom.shapes import expect, parse_toml, take, texts, without_credentials
from pytest_ftc.attestation.strict_json import DocumentError


def read_pyproject(data: bytes, where: str) -> Declared:
    """Return what the file `data` at `where` declares.  Raises DocumentError."""
    document = parse_toml(data, where)
    system = take(document, "build-system", dict, where, {})
    components = list(_read_group(system, "requires", f"{where}: build-system", where, Scope.EXCLUDED, Role.BUILD))
    if "project" not in document:
        note = f"{where} has no [project]: what this project depends on is declared elsewhere, if at all"
        return Declared(components=tuple(components), notes=(note,))
    project, at = take(document, "project", dict, where), f"{where}: project"
    components += _read_group(project, "dependencies", at, where, Scope.REQUIRED)
    groups = take(project, "optional-dependencies", dict, at, {})
    for name in groups:
        components += _read_group(groups, name, f"{at}: optional-dependencies", where, Scope.OPTIONAL)
    dynamic = {"dependencies", "optional-dependencies"}.intersection(texts(project, "dynamic", at))
    notes = [f"{where}: {name} are dynamic: only the build knows them" for name in sorted(dynamic)]
    direct = dict.fromkeys(one.key for one in components if one.role is Role.DECLARED)
    return Declared(
        components=tuple(components), direct=tuple(direct), project=_describe(project, at), notes=tuple(notes)
    )


def _read_group(
    table: dict[str, Any], name: str, at: str, where: str, scope: Scope, role: Role = Role.DECLARED
) -> Iterator[Component]:
    for text in texts(table, name, at):
        try:
            parsed = Requirement(text)
        except (InvalidRequirement, RecursionError):
            raise DocumentError(
                f"{at}: {name}: expected a requirement such as 'name>=1', found {text[:80]!r}"
            ) from None
        if parsed.url:
            parsed.url = without_credentials(parsed.url) or None
        yield Component(
            type="pypi",
            name=canonicalize_name(parsed.name),
            scope=scope,
            role=role,
            requirement=str(parsed),
            source=where,
        )


def _describe(project: dict[str, Any], at: str) -> Project:
    licence = project.get("license", "")
    if isinstance(licence, dict):
        licence = licence.get("text", "") if "\n" not in str(licence.get("text", "")) else ""
    return Project(
        type="pypi",
        name=canonicalize_name(take(project, "name", str, at)),
        version=take(project, "version", str, at, ""),
        licence=expect(licence, str, f"{at}: license").strip(),
    )
