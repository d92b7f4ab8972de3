"""The SBOMs that ``ftc attest create`` makes with the attestations."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.attestation.documents import ATTESTED
from pytest_ftc.attestation.sbom.settings import SbomSettings
from pytest_ftc.cli.output import say
from pytest_ftc.config.file import read_file
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.config.sbom import TABLE
from pytest_ftc.integrations.attesting import Document
from pytest_ftc.integrations.sbom.attest import Sbom, make_sbom, write_sbom
from pytest_ftc.model import Verification
from pytest_ftc.plugin.headless import ask_plugins


def add_sbom_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments about SBOMs."""
    parser.add_argument(
        "--sbom",
        action="store_true",
        help="make a CycloneDX SBOM too; the table sbom of the configuration does the same",
    )
    parser.add_argument(
        "--source", type=Path, metavar="DIR", help="the sources, for the SBOM; default: as configured, else this folder"
    )


@dataclass(frozen=True, slots=True)
class Sboms:
    """The SBOMs of a report."""

    documents: tuple[Document, ...]
    """Statements with the SBOMs that have all that is required."""
    complete: bool
    """Whether each that was asked for is among them."""


def make_sboms(options: argparse.Namespace, verifications: Iterable[Verification], folder: Path) -> Sboms:
    """Write the SBOMs of `verifications` to `folder`, if any are asked for, and print what they lack.

    Raises ConfigurationError, FtcError, DocumentError, NotInstalledError.
    """
    root = Path().absolute()
    _, tables = read_file(root)
    if not options.sbom and TABLE not in tables.ftc:
        return Sboms((), True)
    with ask_plugins(root) as asked:
        config = load_project(root, {}, asked.added, ini=asked.ini, needs_artifacts=False)
    attested = [one for one in verifications if one.verdict in ATTESTED]
    made = [_make(one, config=config, source=options.source, folder=folder) for one in attested]
    documents = tuple(
        Document(one, "sbom", sbom.statement)
        for one, sbom in zip(attested, made, strict=True)
        if sbom and not sbom.problems
    )
    return Sboms(documents, len(documents) == len(attested))


def _make(verification: Verification, *, config: Config, source: Path | None, folder: Path) -> Sbom | None:
    if verification.inputs is None:
        say(f"{verification.name}: no SBOM: its inputs were not recorded; verify it again with --ftc-no-cache")
        return None
    declared = next((one.source for one in config.artifacts if one.id == verification.id), config.root)
    made = make_sbom(verification, source or declared, config.sbom or SbomSettings())
    path = write_sbom(made, verification, folder)
    say(f"{verification.name}: {verification.verdict.value}: {path}")
    for note in made.notes:
        say(f"  {note}")
    if made.problems:
        say("  ✘ not attested: it lacks what is required")
    for problem in made.problems:
        say(f"    {problem}")
    return made
