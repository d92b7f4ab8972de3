"""Components as cyclonedx-python-lib has them; imported with the extra ``sbom`` only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pytest_ftc.attestation.sbom.completeness import ROLE, TOOL
from pytest_ftc.attestation.sbom.component import Component, File, Project
from pytest_ftc.attestation.sbom.inventory import Inventory, Tool
from pytest_ftc.attestation.sbom.settings import SbomSettings

if TYPE_CHECKING:
    from cyclonedx.model import ExternalReference, HashType
    from cyclonedx.model.component import Component as Entry
    from cyclonedx.model.license import License
    from packageurl import PackageURL

_LONGEST_LICENCE = 200
"""Longer texts are not examined, but named as they are."""


def make_root(inventory: Inventory, settings: SbomSettings) -> Entry:
    """Return the component that the document describes: the artifact, with outputs and own packages as parts."""
    from cyclonedx.model.component import Component as Entry
    from cyclonedx.model.component import ComponentType
    from cyclonedx.model.contact import OrganizationalEntity

    project = inventory.project
    outputs = [
        Entry(
            name=one.name,
            type=ComponentType.FILE,
            bom_ref=f"output:{one.name}",
            hashes=_make_hashes({"SHA-256": one.digest["sha256"]}),
        )
        for one in inventory.outputs
    ]
    single = inventory.outputs[0] if len(inventory.outputs) == 1 else None
    return Entry(
        name=project.name or inventory.name,
        version=project.version or None,
        type=ComponentType.APPLICATION,
        bom_ref="artifact",
        purl=_purl_of_project(project),
        licenses=_make_licences(project.licence),
        supplier=OrganizationalEntity(name=settings.supplier) if settings.supplier else None,
        hashes=_make_hashes({"SHA-256": single.digest["sha256"]}) if single else (),
        components=[*outputs, *(make_entry(one, settings.suppliers) for one in inventory.own)],
    )


def make_entry(one: Component, suppliers: Mapping[str, str]) -> Entry:
    """Return the package `one`, with the one of the `suppliers` whose beginning of package URLs fits best.

    Raises ValueError for what no package URL can have."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component as Entry
    from cyclonedx.model.component import ComponentScope, ComponentType
    from cyclonedx.model.contact import OrganizationalEntity
    from packageurl import PackageURL

    said = {ROLE: one.role.value, "pytest-ftc:requirement": one.requirement, "pytest-ftc:declaredIn": one.source}
    purl = PackageURL(one.type, one.namespace or None, one.name, one.version or None, dict(one.qualifiers) or None)
    plain = unquote(str(purl))  # "@" may be written as it is in settings
    fitting = max((begin for begin in suppliers if plain.startswith(unquote(begin))), key=len, default=None)
    return Entry(
        type=ComponentType.LIBRARY,
        supplier=OrganizationalEntity(name=suppliers[fitting]) if fitting else None,
        name=one.name,
        group=one.namespace or None,
        version=one.version or None,
        bom_ref=one.key,
        purl=purl,
        scope=ComponentScope(one.scope.value),
        hashes=_make_hashes(one.hashes),
        licenses=_make_licences(one.licence),
        external_references=[_make_reference(file) for file in one.files],
        properties=[Property(name=name, value=value) for name, value in said.items() if value],
    )


def make_tool(tool: Tool) -> Entry:
    """Return a program of the build."""
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component as Entry
    from cyclonedx.model.component import ComponentScope, ComponentType

    return Entry(
        type=ComponentType.FILE,
        name=PurePosixPath(tool.path).name or tool.path,
        bom_ref=f"tool:{tool.path}",
        scope=ComponentScope.EXCLUDED,
        hashes=_make_hashes({"SHA-256": tool.sha256}),
        properties=[Property(name=ROLE, value=TOOL), Property(name="pytest-ftc:path", value=tool.path)],
    )


def _purl_of_project(project: Project) -> PackageURL | None:
    from packageurl import PackageURL

    if not (project.type and project.name):
        return None
    namespace, _, name = project.name.rpartition("/")
    return PackageURL(project.type, namespace or None, name, project.version or None)


def _make_reference(file: File) -> ExternalReference:
    from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri

    return ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION, url=XsUri(file.url), hashes=_make_hashes(file.hashes)
    )


def _make_hashes(hashes: Mapping[str, str]) -> list[HashType]:
    from cyclonedx.model import HashAlgorithm, HashType

    return [HashType(alg=HashAlgorithm(name), content=content) for name, content in hashes.items()]


def _make_licences(text: str) -> list[License]:
    from cyclonedx.contrib.license.factories import LicenseFactory

    if not text:
        return []
    factory = LicenseFactory()
    return [factory.make_from_string(text) if len(text) <= _LONGEST_LICENCE else factory.make_with_name(text)]
