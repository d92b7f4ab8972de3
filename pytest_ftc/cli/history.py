"""``ftc history``: lists all recorded builds of an artifact."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_ftc.cli.output import page_style, print_json, print_rows, write_text
from pytest_ftc.cli.store import add_store_arguments, opened_store
from pytest_ftc.model import BuildRecord
from pytest_ftc.model.artifact import name_of
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.support.service_commands import defuse_json
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.verification.sharding.durations import write_durations

_MOST = 1000
"""Most builds to list."""
_MOST_OF_TREND = 20_000
_SESSIONS = 5
"""Of so many last sessions that built an artifact, the usual duration counts."""


def builds_of(folder: Path | None, project: Path, artifact: str, most: int = _MOST) -> list[BuildRecord]:
    """Return the recorded builds of `artifact`, a name or an id, in `project`, at `most` as many, newest first.

    Raises FtcError if there are none.
    """
    with opened_store(folder) as store:
        builds = store.history.of_artifact(artifact, str(project), most)
        if builds:
            return builds
        known = [name_of(name) for name in store.history.artifacts(str(project))]
    hint = did_you_mean(artifact, known)
    raise FtcError(
        f"no build of {artifact!r} in {project} is recorded{hint}  Recorded artifacts: {', '.join(known) or 'none'}"
    )


def recorded(folder: Path | None, project: Path) -> list[str]:
    """Return the names of artifacts of `project` with recorded builds."""
    with opened_store(folder) as store:
        return [name_of(name) for name in store.history.artifacts(str(project))]


def durations(folder: Path | None, project: Path) -> str:
    """Return what the builds of each artifact of `project` take, as the file by which a matrix of jobs divides them."""
    with opened_store(folder) as store:
        return write_durations(store.history.session_seconds(str(project), _SESSIONS))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc history``."""
    add_store_arguments(parser)
    parser.add_argument("artifact", metavar="ARTIFACT", nargs="?", help="the artifact's name; omit to list all names")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--trend", action="store_true", help="show its build time and verdict over time")
    shown.add_argument(
        "--durations",
        action="store_true",
        help="print what the builds of each artifact take, as the file by which ftc gate --shard divides them",
    )


def run(options: argparse.Namespace) -> int:
    """Print all recorded builds of an artifact, or the names of artifacts with recorded builds."""
    if options.trend:
        return _show_trend(options)
    if options.durations:
        return _print_durations(options)
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


def _print_durations(options: argparse.Namespace) -> int:
    if options.artifact is not None:
        raise ConfigurationError("--durations: it has all artifacts; name none")
    print(defuse_json(durations(options.store, Path.cwd())), end="")
    return 0


def _show_trend(options: argparse.Namespace) -> int:
    from pytest_ftc.reporting.terminal.trend import find_trend, render_trend

    if options.artifact is None:
        raise ConfigurationError("--trend: expected the name of an artifact beside it")
    trend = find_trend(builds_of(options.store, Path.cwd(), options.artifact, _MOST_OF_TREND))
    if options.json:
        print_json(trend)
    else:
        write_text(render_trend(options.artifact, trend, **page_style()))
    return 0
