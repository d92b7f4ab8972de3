"""The project in the current folder, as commands see it: with what its pytest plugins add."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model import Artifact
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.service_commands import defuse
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.plugin.headless import ask_plugins


@dataclass(frozen=True, slots=True)
class Project:
    """A project, and what its plugins add."""

    config: Config
    added: Contributions


@contextmanager
def opened_project(root: Path, *, needs_artifacts: bool = True) -> Iterator[Project]:
    """Yield the project at `root`, and say on stderr if its plugins could not be loaded.  Raises FtcError."""
    with ask_plugins(root) as asked:
        if asked.problem:
            print(defuse(f"ftc: {shorten(asked.problem)}"), file=sys.stderr)
        config = load_project(root, {}, asked.added, ini=asked.ini, needs_artifacts=needs_artifacts)
        yield Project(config, asked.added)


def choose_artifacts(artifacts: Sequence[Artifact], names: Sequence[str]) -> list[Artifact]:
    """Return the artifacts of these `names`, or all of them.  Raises ConfigurationError."""
    known = [artifact.name for artifact in artifacts]
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"there is no artifact {name!r}{did_you_mean(name, known)}  Artifacts: {', '.join(known)}"
            )
    return [artifact for artifact in artifacts if not names or artifact.name in names]
