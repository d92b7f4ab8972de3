"""All that a software bill of materials of one artifact says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from pytest_ftc.attestation.sbom.component import Component, Project, Role, Scope, merge_components
from pytest_ftc.attestation.sbom.lock_files import choose_lock_files, read_lock_files
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.attestation.statement import Subject, subjects_of
from pytest_ftc.model import Verification
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.valid_text import valid_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program of the build, or a database of packages that it could see."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What an artifact is made of, and by what."""

    name: str
    """Of the artifact."""
    project: Project
    outputs: tuple[Subject, ...]
    components: tuple[Component, ...]
    """Sorted by key."""
    own: tuple[Component, ...]
    """Packages whose files are in the source tree, sorted by key."""
    direct: tuple[str, ...]
    """Keys of the components that the project itself needs."""
    tools: tuple[Tool, ...]
    platform: str
    source: str
    """sha256 of the source tree, see docs/evidence.md."""
    commit: str
    timestamp: int | None
    """SOURCE_DATE_EPOCH, in seconds since 1970; None if the build had none."""
    notes: tuple[str, ...] = ()
    """What is not known, one sentence each."""


def take_inventory(verification: Verification, source: Path, settings: SbomSettings) -> Inventory:
    """Return what the artifact of `verification`, whose sources are in the folder `source`, is made of.

    Raises FtcError when its inputs were not recorded or there is no output, DocumentError for a lock file that is
    malformed or not the one that was verified, ConfigurationError.
    """
    inputs = verification.inputs
    if inputs is None:
        raise FtcError(
            f"{verification.name}: no SBOM: its inputs were not recorded", advice="verify it again with --ftc-no-cache"
        )
    recorded = {path: digest for path, digest in inputs.lock_files.items() if digest}
    links = sorted(inputs.lock_files.keys() - recorded.keys())
    chosen, left_out = choose_lock_files(recorded, settings.files)
    declared = read_lock_files(source, chosen, recorded)
    installed = _list_installed(dict(inputs.distributions), declared.components)
    required = [
        one for one in declared.components if one.role is not Role.BUILD or one.name not in inputs.distributions
    ]
    epoch = inputs.source_date_epoch
    return Inventory(
        name=valid_text(verification.name),
        project=declared.project,
        outputs=subjects_of(verification),
        components=merge_components([*required, *installed]),
        own=declared.own,
        direct=declared.direct,
        tools=tuple(Tool(path=valid_text(path), sha256=digest) for path, digest in sorted(inputs.tools.items())),
        platform=" ".join(inputs.platform),
        source=inputs.source.partition("/")[0],
        commit=inputs.commit,
        timestamp=int(epoch) if epoch.isdigit() else None,
        notes=(*declared.notes, *_note_left_out(left_out, links), *([] if chosen else ["the source has no lock file"])),
    )


def _list_installed(distributions: dict[str, str], declared: tuple[Component, ...]) -> list[Component]:
    """Return the distributions in the environment of the build, with what ``build-system.requires`` says of them."""
    required = {one.name: one for one in declared if one.role is Role.BUILD}
    installed = []
    for name, version in distributions.items():
        one = Component(type="pypi", name=name, version=version, role=Role.BUILD, scope=Scope.EXCLUDED)
        if known := required.get(name):
            one = replace(one, requirement=known.requirement, source=known.source)
        installed.append(one)
    return installed


def _note_left_out(paths: list[str], links: list[str]) -> list[str]:
    notes = []
    if paths:
        which = "it" if len(paths) == 1 else "them"
        notes.append(f"not read: {_name_some(paths)}; name {which} in files of the table sbom")
    if links:
        notes.append(f"not read: {_name_some(links)}: symbolic links are not followed")
    return notes


def _name_some(paths: list[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return f"{', '.join(map(valid_text, paths[:3]))}{more}"
