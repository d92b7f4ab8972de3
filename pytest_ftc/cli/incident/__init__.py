"""``ftc incident``: gathers all that is known about an artifact in one folder."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pytest_ftc.cli.output import say
from pytest_ftc.cli.project import opened_project
from pytest_ftc.model.artifact import name_of, slug
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.store.history import History
from pytest_ftc.store.layout import Layout
from pytest_ftc.verification.incident.folder import MANIFEST
from pytest_ftc.verification.incident.gather import Incident, gather
from pytest_ftc.verification.incident.results import list_reported
from pytest_ftc.verification.user_folders import store_folder

_CACHE = Path(".pytest_cache", "d", "ftc")
"""Where sessions without a report leave logs, in the folder of the project."""
_DESCRIPTION = """\
Gather in one folder what is known about an artifact: its part of the report, the records of its builds,
attestations, trace, logs, diffs, this machine's environment and drift, the state of the store, the commands that
replay its builds, and a timeline.  Secrets are masked, and files are bounded.  Nothing is built."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc incident``."""
    parser.description = _DESCRIPTION
    parser.add_argument("artifact", metavar="ARTIFACT", help="the artifact's name, or the whole id")
    parser.add_argument(
        "-o", "--output", metavar="DIR", type=Path, help="a new folder; default: ftc-incident-NAME-TIME"
    )
    parser.add_argument(
        "--report", metavar="DIR", type=Path, help="the report's folder; default: as configured, else pytest's cache"
    )
    parser.add_argument(
        "--store", metavar="DIR", type=Path, help="the store's folder (default: FTC_STORE, else the user's own store)"
    )


def run(options: argparse.Namespace) -> int:
    """Gather what is known."""
    if options.report and not options.report.is_dir():
        raise ConfigurationError(f"--report: expected a report's folder, found none at {options.report}")
    name = slug(name_of(options.artifact))
    to = options.output or Path(f"ftc-incident-{name}-{time.strftime('%Y%m%dT%H%M%S')}")
    with opened_project(Path.cwd(), needs_artifacts=False) as project:
        config = project.config
        incident = Incident(
            config=config,
            artifact=options.artifact,
            results=options.report or config.report or config.root / _CACHE,
            layout=Layout((options.store or config.store or store_folder()).absolute()),
        )
        _check_known(incident)
        folder = gather(incident, to)
    say(f"{to}: {len((to / MANIFEST).read_text().splitlines())} files")
    for one in folder.missing:
        say(f"  missing: {one}")
    return 0


def _check_known(incident: Incident) -> None:
    """Raise FtcError for an artifact of which nothing is known, by whatever source that can be read."""
    history = History(incident.layout)
    try:
        recorded = history.artifacts(str(incident.config.root))
    except FtcError:
        recorded = []
    finally:
        history.close()
    ids = {*recorded, *(one.id for one in incident.config.artifacts), *list_reported(incident.results)}
    names = sorted({name_of(one) for one in ids})
    if incident.artifact not in (*ids, *names):
        hint = did_you_mean(incident.artifact, names)
        raise FtcError(f"nothing is known of {incident.artifact!r}{hint}  Known: {', '.join(names) or 'none'}")
