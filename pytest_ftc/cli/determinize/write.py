"""Writing settings to pyproject.toml or ftc.toml in place."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.snapshot import commit_of_sources
from pytest_ftc.cli.determinize.keys import keys_of, preset_key
from pytest_ftc.cli.determinize.render import COMMIT_FIRST, render
from pytest_ftc.cli.determinize.texts import read_text, replace_text
from pytest_ftc.cli.project import Project
from pytest_ftc.config.editing.artifact_table import Keys, edit_table, name_table
from pytest_ftc.config.file import read_file
from pytest_ftc.model import Artifact
from pytest_ftc.model.artifact import declared_name
from pytest_ftc.model.errors import FtcError
from pytest_ftc.verification.determinize import Outcome, settings_of


@dataclass(frozen=True, slots=True)
class Target:
    """The file that configures a project, or one of the folders below it, or will."""

    file: Path
    shown: str
    """Its path below the project's folder, for messages."""
    prefix: tuple[str, ...]
    """The names of the tables above those of artifacts."""
    tables: Mapping[str, Any]
    """The tables of artifacts, as they were read at first."""
    of_plugins: frozenset[str]
    """The names of artifacts that plugins declare."""


@dataclass(frozen=True, slots=True)
class Targets:
    """The files that configure the artifacts of a project."""

    folder_of: Mapping[str, Path]
    """The folder of each artifact's configuration, by its id."""
    in_folder: Mapping[Path, Target]

    def table_of(self, artifact: Artifact) -> str:
        """Return the name of the table of `artifact`."""
        prefix = self.in_folder[self.folder_of[artifact.id]].prefix
        return name_table((*prefix, declared_name(artifact.id)))

    def write(self, outcomes: Sequence[Outcome], say: Callable[[str], None], show: Callable[[str], None]) -> bool:
        """Write what helps, each to its file, and return whether all of it could be, as `write_outcomes` does."""
        by_folder: dict[Path, list[Outcome]] = {}
        for outcome in outcomes:
            by_folder.setdefault(self.folder_of[outcome.artifact.id], []).append(outcome)
        complete = [write_outcomes(self.in_folder[one], some, say, show) for one, some in by_folder.items()]
        return all(complete)


def find_targets(project: Project) -> Targets:
    """Return the files of the project and of the folders below that it has found."""
    config = project.config
    below = {id_: file.parent for id_, file in config.below.items()}
    folder_of = {one.id: below.get(one.id, config.root) for one in config.artifacts}
    of_plugins = frozenset(one.name for one in project.added.artifacts)
    folders = dict.fromkeys((config.root, *folder_of.values()))
    return Targets(folder_of, {one: find_target(one, config.root, of_plugins) for one in folders})


def find_target(folder: Path, root: Path, of_plugins: frozenset[str]) -> Target:
    """Return the file of the configuration in `folder`: ftc.toml if it is there, else pyproject.toml, else an ftc.toml.

    Plugins declare the artifacts `of_plugins` of the project at `root`.
    """
    own, shared = folder / "ftc.toml", folder / "pyproject.toml"
    inside = not own.exists() and shared.exists()
    file = shared if inside else own
    return Target(
        file=file,
        shown=os.path.relpath(file, root),
        prefix=("tool", "ftc", "artifacts") if inside else ("artifacts",),
        tables=_read_tables(folder),
        of_plugins=of_plugins if folder == root else frozenset(),
    )


def write_outcomes(
    target: Target, outcomes: Sequence[Outcome], say: Callable[[str], None], show: Callable[[str], None]
) -> bool:
    """Write what helps to the file of `target`, and return whether all of it could be.

    `say` is called with what was done and what was not, `show` with the change.  The file is unchanged on any error.
    """
    name = target.shown
    before = read_text(target.file)
    now = _read_tables(target.file.parent)
    text, complete, written = before, True, []
    for outcome in outcomes:
        if outcome.failure or not outcome.steps:
            continue
        try:
            _check(target, outcome, now)
            text = edit_table(text, (*target.prefix, declared_name(outcome.artifact.id)), _keys(target, outcome))
            written.append(outcome.artifact.name)
        except FtcError as error:
            complete = False
            say(f"{outcome.artifact.name} is not written to {name}: {error}")
            show(render(outcome))
    if text == before:
        say(f"nothing to write to {name}")
        return complete
    replace_text(target.file, before, text)
    show(_show_change(before, text, name))
    say(f"written to {name}: {', '.join(written)}; now: pytest --ftc-verify")
    return complete


def _check(target: Target, outcome: Outcome, now: Mapping[str, Any]) -> None:
    """Raise FtcError if what `outcome` says must not be written."""
    artifact = outcome.artifact
    name = declared_name(artifact.id)
    if target.tables.get(name) != now.get(name):
        raise FtcError("its table was changed meanwhile; run ftc determinize again")
    if name in target.of_plugins:
        raise FtcError("a plugin declares it; change it there")
    commit = commit_of_sources(artifact.source)
    if commit is None and settings_of(artifact, outcome.steps, commit).of_commit:
        raise FtcError(COMMIT_FIRST)


def _keys(target: Target, outcome: Outcome) -> Keys:
    artifact = outcome.artifact
    settings = settings_of(artifact, outcome.steps, commit_of_sources(artifact.source))
    keys: dict[str, str | Mapping[str, str]] = {}
    if declared_name(artifact.id) not in target.tables:
        keys.update(preset_key(artifact))
    keys.update(keys_of(artifact, settings))
    return {**keys, "env": settings.env} if settings.env else keys


def _read_tables(root: Path) -> Mapping[str, Any]:
    tables = read_file(root)[1].ftc.get("artifacts", {})
    return tables if isinstance(tables, dict) else {}


def _show_change(before: str, text: str, name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{line}\n" for line in ["", *lines])
