"""``ftc history``: lists all recorded builds of an artifact."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ftc.cli.output import page_style, print_rows, write_text
from pytest_ftc.cli.store import add_store_arguments, opened_store
from pytest_ftc.model import BuildRecord
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.suggestion import did_you_mean


def builds_of(folder: Path | None, project: Path, artifact: str) -> list[BuildRecord]:
    """Return all recorded builds of `artifact`, a name or an id, in `project`, newest first.

    Raises FtcError if there are none.
    """
    with opened_store(folder) as store:
        builds = store.history.of_artifact(artifact, str(project))
        if builds:
            return builds
        known = [name.rpartition("::")[2] for name in store.history.artifacts(str(project))]
    hint = did_you_mean(artifact, known)
    raise FtcError(
        f"no build of {artifact!r} in {project} is recorded{hint}  Recorded artifacts: {', '.join(known) or 'none'}"
    )


def recorded(folder: Path | None, project: Path) -> list[str]:
    """Return the names of artifacts of `project` with recorded builds."""
    with opened_store(folder) as store:
        return [name.rpartition("::")[2] for name in store.history.artifacts(str(project))]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc history``."""
    add_store_arguments(parser)
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="the artifact's name; omit to list all names")


def run(options: argparse.Namespace) -> int:
    """Print all recorded builds of an artifact, or the names of artifacts with recorded builds."""
    from pytest_ftc.reporting.terminal.store import render_history

    if options.artifact is None:
        names = recorded(options.store, Path.cwd())
        print_rows(options, names, [("recorded", ", ".join(names) or "nothing")])
        return 0
    builds = builds_of(options.store, Path.cwd(), options.artifact)
    if options.json:
        print_rows(options, builds, [])
    else:
        write_text(render_history(options.artifact, builds, **page_style()))
    return 0
