"""``ftc determinize``: prints or writes the smallest set of proved remedies as configuration."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftc.cli.determinize.render import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_ftc.cli.determinize.write import Targets
    from pytest_ftc.cli.project import Project
    from pytest_ftc.model import Artifact
    from pytest_ftc.verification.determinize import Outcome

__all__ = ["add_arguments", "render", "run"]

_WRITE = "edit pyproject.toml or ftc.toml in place, with its comments and order, and print the change"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc determinize``."""
    parser.add_argument(
        "artifact",
        metavar="ARTIFACT",
        nargs="*",
        help="names of artifacts in [tool.ftc.artifacts]; without one, all that are not reproducible",
    )
    parser.add_argument("--write", action="store_true", help=_WRITE)


def run(options: argparse.Namespace) -> int:
    """Print settings that make artifacts of the current project reproducible; progress goes to stderr."""
    from pytest_ftc.cli.determinize.write import find_targets
    from pytest_ftc.cli.project import opened_project

    with opened_project(Path.cwd()) as project:
        targets = find_targets(project)
        outcomes = _print_outcomes(project, targets, options)
    statuses = [2 if outcome.failure else int(not outcome.heals) for outcome in outcomes]
    if options.write:
        statuses.append(int(not targets.write(outcomes, _say, _print)))
    return max(statuses, default=0)


def _print_outcomes(project: Project, targets: Targets, options: argparse.Namespace) -> list[Outcome]:
    from pytest_ftc.verification.determinize import determinize_artifacts

    chosen = _choose(project.config.artifacts, options.artifact)
    outcomes: list[Outcome] = []
    for outcome in determinize_artifacts(project.config, project.added, chosen, targets.table_of, _say):
        if outcome.failure:
            _say(outcome.failure)
        else:
            gap = "\n" if any(not before.failure for before in outcomes) else ""
            _print(gap + render(outcome, tables=not options.write))
        outcomes.append(outcome)
    return outcomes


def _choose(artifacts: Sequence[Artifact], names: Sequence[str]) -> list[Artifact]:
    """Return the artifacts of these `names`, each once, or all of them.  Raises FtcError."""
    from pytest_ftc.builds.requirements.python import OUTPUTS
    from pytest_ftc.config.project import declaration_of
    from pytest_ftc.model.errors import FtcError
    from pytest_ftc.model.support.suggestion import suggest

    by_name = {artifact.name: artifact for artifact in artifacts}
    for name in names:
        if name not in by_name:
            near = suggest(name, list(by_name), cutoff=0.6)
            hint = f"did you mean {near!r}?" if near else f"declared: {', '.join(by_name)}"
            if name in OUTPUTS:
                hint = f"only these are verified: {', '.join(by_name)}; {declaration_of(name)}"
            raise FtcError(f"there is no artifact {name!r}; {hint}")
    return [by_name[name] for name in dict.fromkeys(names)] if names else list(artifacts)


def _say(text: str) -> None:
    from pytest_ftc.model.support.printable import shorten
    from pytest_ftc.model.support.service_commands import defuse

    print(defuse(f"ftc: {shorten(text)}"), file=sys.stderr, flush=True)


def _print(text: str) -> None:
    from pytest_ftc.model.support.printable import printable
    from pytest_ftc.model.support.service_commands import defuse_json

    print(defuse_json(printable(text)), end="", flush=True)
