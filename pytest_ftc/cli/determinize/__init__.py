"""``ftc determinize``: prints or writes the smallest set of proved remedies as configuration."""

from __future__ import annotations

import argparse
import sys
from operator import attrgetter
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
_IN_PROJECT = "print a proved diff of the project's own files for patch -p1, if there is one; with --write, apply it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``ftc determinize``."""
    parser.add_argument(
        "artifact",
        metavar="ARTIFACT",
        nargs="*",
        help="names of artifacts in [tool.ftc.artifacts]; without one, all that are not reproducible",
    )
    parser.add_argument("--write", action="store_true", help=_WRITE)
    parser.add_argument("--in-project", action="store_true", help=_IN_PROJECT)


def run(options: argparse.Namespace) -> int:
    """Print settings that make artifacts of the current project reproducible; progress goes to stderr."""
    from pytest_ftc.cli.determinize.in_project import is_healed, write_changes
    from pytest_ftc.cli.determinize.write import find_targets
    from pytest_ftc.cli.project import opened_project

    with opened_project(Path.cwd()) as project:
        targets = find_targets(project)
        outcomes = _print_outcomes(project, targets, options)
    if options.in_project and options.write:
        outcomes = list(write_changes(outcomes, _say))
    heals = is_healed if options.in_project else attrgetter("heals")
    statuses = [2 if outcome.failure else int(not heals(outcome)) for outcome in outcomes]
    if options.write and (not options.in_project or any(outcome.steps for outcome in outcomes)):
        statuses.append(int(not targets.write(outcomes, _say, _print)))
    return max(statuses, default=0)


def _print_outcomes(project: Project, targets: Targets, options: argparse.Namespace) -> list[Outcome]:
    from pytest_ftc.verification.determinize import determinize_artifacts

    chosen = _choose(project.config.artifacts, options.artifact)
    outcomes: list[Outcome] = []
    for outcome in determinize_artifacts(project.config, project.added, chosen, targets.table_of, _say):
        if outcome.failure:
            _say(outcome.failure)
        elif options.in_project:
            _print_change(outcome)
        else:
            gap = "\n" if any(not before.failure for before in outcomes) else ""
            _print(gap + render(outcome, tables=not options.write))
        outcomes.append(outcome)
    return outcomes


def _print_change(outcome: Outcome) -> None:
    from pytest_ftc.cli.determinize.in_project import NO_CHANGE, is_healed
    from pytest_ftc.cli.determinize.render import render_in_project

    if is_healed(outcome):
        _print(render_in_project(outcome))
    else:
        _say(f"{outcome.artifact.name}: {NO_CHANGE}")


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
                file = artifacts[0].id.partition("::")[0].rpartition("/")[2] if artifacts else ""
                hint = f"only these are verified: {', '.join(by_name)}; {declaration_of(name, file)}"
            raise FtcError(f"there is no artifact {name!r}; {hint}")
    return [by_name[name] for name in dict.fromkeys(names)] if names else list(artifacts)


def _say(text: str) -> None:
    from pytest_ftc.model.support.printable import shorten
    from pytest_ftc.model.support.service_commands import defuse

    print(defuse(f"ftc: {shorten(text)}"), file=sys.stderr, flush=True)


def _print(text: str) -> None:
    from pytest_ftc.model.support.printable import printable
    from pytest_ftc.model.support.service_commands import defuse_json

    print(defuse_json(printable(text, keep="\n\t")), end="", flush=True)
