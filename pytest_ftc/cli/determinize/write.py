"""Writing settings to pyproject.toml or ftc.toml in place."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftc.builds.inputs.snapshot import commit_of_sources
from pytest_ftc.cli.determinize.keys import keys_of, preset_key
from pytest_ftc.cli.determinize.render import COMMIT_FIRST, render
from pytest_ftc.cli.project import Project
from pytest_ftc.config.editing.artifact_table import Keys, edit_table, name_table
from pytest_ftc.config.file import read_file
from pytest_ftc.model.errors import FtcError
from pytest_ftc.model.support.atomic_file import replace_file
from pytest_ftc.verification.determinize import Outcome, settings_of


@dataclass(frozen=True, slots=True)
class Target:
    """The file that configures a project, or will."""

    file: Path
    prefix: tuple[str, ...]
    """The names of the tables above those of artifacts."""
    tables: Mapping[str, Any]
    """The tables of artifacts, as they were read at first."""
    of_plugins: frozenset[str]
    """The names of artifacts that plugins declare."""

    def table_of(self, artifact: str) -> str:
        """Return the name of the table of `artifact`."""
        return name_table((*self.prefix, artifact))


def find_target(project: Project) -> Target:
    """Return the file of the project: ftc.toml if it is there, else pyproject.toml, else an ftc.toml to make."""
    root = project.config.root
    own, shared = root / "ftc.toml", root / "pyproject.toml"
    inside = not own.exists() and shared.exists()
    return Target(
        file=shared if inside else own,
        prefix=("tool", "ftc", "artifacts") if inside else ("artifacts",),
        tables=_read_tables(root),
        of_plugins=frozenset(one.name for one in project.added.artifacts),
    )


def write_outcomes(
    target: Target, outcomes: Sequence[Outcome], say: Callable[[str], None], show: Callable[[str], None]
) -> bool:
    """Write what helps to the file of `target`, and return whether all of it could be.

    `say` is called with what was done and what was not, `show` with the change.  The file is unchanged on any error.
    """
    root, name = target.file.parent, target.file.name
    before = _read(target.file)
    now = _read_tables(root)
    text, complete, written = before, True, []
    for outcome in outcomes:
        if outcome.failure or not outcome.steps:
            continue
        try:
            _check(target, outcome, now)
            text = edit_table(text, (*target.prefix, outcome.artifact.name), _keys(target, outcome))
            written.append(outcome.artifact.name)
        except FtcError as error:
            complete = False
            say(f"{outcome.artifact.name} is not written to {name}: {error}")
            show(render(outcome))
    if text == before:
        say(f"nothing to write to {name}")
        return complete
    _replace(target.file, before, text)
    show(_show_change(before, text, name))
    say(f"written to {name}: {', '.join(written)}; now: pytest --ftc-verify")
    return complete


def _check(target: Target, outcome: Outcome, now: Mapping[str, Any]) -> None:
    """Raise FtcError if what `outcome` says must not be written."""
    artifact = outcome.artifact
    if target.tables.get(artifact.name) != now.get(artifact.name):
        raise FtcError("its table was changed meanwhile; run ftc determinize again")
    if artifact.name in target.of_plugins:
        raise FtcError("a plugin declares it; change it there")
    commit = commit_of_sources(artifact.source)
    if commit is None and settings_of(artifact, outcome.steps, commit).of_commit:
        raise FtcError(COMMIT_FIRST)


def _keys(target: Target, outcome: Outcome) -> Keys:
    artifact = outcome.artifact
    settings = settings_of(artifact, outcome.steps, commit_of_sources(artifact.source))
    keys: dict[str, str | Mapping[str, str]] = {}
    if artifact.name not in target.tables:
        keys.update(preset_key(artifact))
    keys.update(keys_of(artifact, settings))
    return {**keys, "env": settings.env} if settings.env else keys


def _read_tables(root: Path) -> Mapping[str, Any]:
    tables = read_file(root)[1].ftc.get("artifacts", {})
    return tables if isinstance(tables, dict) else {}


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode() if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise FtcError(f"{file.name} cannot be read: {error}") from error


def _replace(file: Path, before: str, text: str) -> None:
    try:
        # Not the name of a link, but what it leads to.
        place = file.resolve()
        if _read(place) != before:
            raise FtcError(f"{file.name} was changed meanwhile; nothing was written")
        replace_file(place, text.encode(), mode=place.stat().st_mode & 0o777 if place.exists() else None)
    except OSError as error:
        raise FtcError(f"{file.name} cannot be written: {error.strerror}; nothing was changed") from error


def _show_change(before: str, text: str, name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), text.splitlines(), f"a/{name}", f"b/{name}", lineterm="")
    return "".join(f"{line}\n" for line in ["", *lines])
