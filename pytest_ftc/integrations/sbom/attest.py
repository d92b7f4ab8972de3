"""The software bill of materials of an attested artifact, and what it lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc import __version__
from pytest_ftc.attestation.sbom.completeness import check_completeness
from pytest_ftc.attestation.sbom.embedded import compare_embedded
from pytest_ftc.attestation.sbom.inventory import take_inventory
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.attestation.sbom.statement import is_sbom, make_sbom_statement
from pytest_ftc.attestation.statement import Statement
from pytest_ftc.attestation.strict_json import DocumentError
from pytest_ftc.integrations.attestations import SBOM_SUFFIX
from pytest_ftc.integrations.sbom.document import encode_document, find_invalid, make_document
from pytest_ftc.integrations.sbom.embedded import is_wheel, read_embedded
from pytest_ftc.integrations.signers import NotInstalledError
from pytest_ftc.model import Role, Verification
from pytest_ftc.model.artifact import slug
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file

EMBEDDED = "embedded"
"""The requirement that SBOMs in wheels agree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sbom:
    """An SBOM, ready to be written and signed."""

    data: bytes
    """The CycloneDX document."""
    statement: Statement
    problems: tuple[str, ...]
    """What it lacks of what is required, one sentence each."""
    notes: tuple[str, ...]
    """What is not known, and how SBOMs embedded in the outputs differ from it."""


def make_sbom(verification: Verification, source: Path, settings: SbomSettings) -> Sbom:
    """Return the SBOM of the artifact of `verification`, whose sources are in the folder `source`.

    SBOMs in wheels are compared with it if the wheels that were verified are in that folder, where builds leave them.
    Raises FtcError, DocumentError, NotInstalledError, ConfigurationError.
    """
    inventory = take_inventory(verification, source, settings)
    document = make_document(inventory, settings, __version__)
    problems = check_completeness(document, settings.require)
    embedded = list(_check_embedded(document, verification, source))
    if EMBEDDED in settings.require:
        problems += embedded
        embedded = []
    return Sbom(
        data=encode_document(document),
        statement=make_sbom_statement(verification, document),
        problems=tuple(problems),
        notes=(*inventory.notes, *embedded),
    )


def write_sbom(made: Sbom, verification: Verification, folder: Path) -> Path:
    """Write the document of the SBOM to `folder`, and return its path.  Raises FtcError."""
    path = folder / f"{slug(verification.name)}.sbom{SBOM_SUFFIX}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, made.data)
    except OSError as error:
        raise FtcError(f"{path}: {error.strerror or error}") from None
    return path


def _check_embedded(document: Mapping[str, Any], verification: Verification, source: Path) -> Iterator[str]:
    control = next((build for build in verification.builds if build.role is Role.CONTROL), None)
    for output in control.outputs if control else ():
        if not is_wheel(output.path):
            continue
        if _digest(source / output.path) == output.sha256:
            yield from compare_wheel(source / output.path, output.path, document)
        else:
            yield f"{output.path}: SBOMs in it were not compared: the verified file is not in the source folder"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while data := file.read(1 << 20):
                digest.update(data)
    except OSError:
        return ""
    return digest.hexdigest()


def compare_wheel(path: Path, name: str, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield how SBOMs embedded in the wheel at `path` differ from `document`; sentences call the wheel `name`.

    Raises DocumentError, NotInstalledError.
    """
    for where, embedded in read_embedded(path, name):
        for sentence in [embedded] if isinstance(embedded, str) else compare_embedded(embedded, document):
            yield f"{where}: {sentence}"


def compare_with_signed(path: Path, statements: Iterable[Statement]) -> tuple[str, ...]:
    """Return how SBOMs embedded in the wheel at `path` differ from those in signed `statements`, one sentence each.

    Empty for other files, and where there is nothing to compare.  Raises DocumentError.
    """
    signed = [one.predicate for one in statements if is_sbom(one)]
    if not signed or not is_wheel(path.name):
        return ()
    try:
        for document in signed:
            if problem := find_invalid(json.dumps(document).encode()):
                raise DocumentError(f"{path}: the signed SBOM is {problem}")
        return tuple(dict.fromkeys(said for document in signed for said in compare_wheel(path, path.name, document)))
    except NotInstalledError as error:
        return (f"{path.name}: SBOMs in it were not compared: {error}",)
