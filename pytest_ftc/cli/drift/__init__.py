"""``ftc drift``: what of this machine differs from the one on which artifacts were last built."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.cli.output import print_rows
from pytest_ftc.cli.project import choose_artifacts, opened_project
from pytest_ftc.cli.store import add_store_arguments, opened_store
from pytest_ftc.verification.cache.drift import ArtifactDrift, Drift, Looks, find_drift_of
from pytest_ftc.verification.user_folders import search_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc drift``."""
    parser.add_argument("artifacts", metavar="ARTIFACT", nargs="*", help="names of artifacts; default: all")
    add_store_arguments(parser)
    parser.add_argument("--check", action="store_true", help="exit status 1 if anything differs")


def drift_of(folder: Path | None, project: Path, names: Sequence[str]) -> list[ArtifactDrift]:
    """Return what differs for the artifacts `names` of `project`, or for all; nothing is built.

    Raises FtcError.
    """
    looks = Looks(Toolchain(search_path()))
    with opened_project(project) as found, opened_store(folder or found.config.store) as store:
        chosen = choose_artifacts(found.config.artifacts, names)
        return [find_drift_of(one, store.history, str(found.config.root), looks) for one in chosen]


def run(options: argparse.Namespace) -> int:
    """Print what differs."""
    found = drift_of(options.store, Path.cwd(), options.artifacts)
    print_rows(options, found, [line for one in found for line in _rows(one)])
    return int(options.check and any(one.drift for one in found))


def _rows(found: ArtifactDrift) -> Iterator[tuple[str, str]]:
    if found.drift is None:
        why = "its last build was recorded by an earlier version" if found.built else "no build of it is recorded"
        yield found.artifact, f"nothing to compare with: {why}"
        return
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(found.built))
    last = f"its last build ({when} on {found.machine}, {found.verdict})"
    if not found.drift:
        yield found.artifact, f"nothing differs from {last}"
        return
    yield found.artifact, f"this machine differs from that of {last}"
    for one in found.drift:
        yield f"  {one.kind}", _describe(one)


def _describe(one: Drift) -> str:
    if not one.name:
        return f"{one.now or 'unknown'}, was {one.then or 'unknown'}"
    return one.phrase.partition(" ")[2]
