"""The settings of a project with its artifacts, also where none is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.config.load import Config, load_config
from pytest_ftc.config.plugin_artifacts import add_artifacts
from pytest_ftc.config.python_project import declare
from pytest_ftc.model.errors import ConfigurationError


def load_project(
    root: Path,
    given: Mapping[str, str | bool | None],
    added: Contributions = NOTHING,
    *,
    ini: Path | None = None,
    needs_artifacts: bool = True,
) -> Config:
    """Return the settings of the project at `root` with its artifacts: those declared, or a Python project's own.

    Those that plugins have `added` come after them; without a configuration file they are shown below pytest's `ini`.
    Raises ConfigurationError, also where there is none though it `needs_artifacts`.
    """
    loaded = load_config(root, given, added.vocabulary)
    if not loaded.artifacts and loaded.build_file:
        artifacts = tuple(
            replace(artifact, strict=loaded.strict, pass_sockets=loaded.pass_sockets)
            for artifact in declare(loaded.build_file)
        )
        loaded = replace(loaded, file=loaded.build_file, artifacts=artifacts)
    loaded = add_artifacts(loaded, added.artifacts, loaded.file or ini, added.vocabulary)
    if needs_artifacts and not loaded.artifacts:
        raise ConfigurationError(explain_nothing(root))
    return loaded


def explain_nothing(root: Path) -> str:
    """Return what to say where nothing can be verified."""
    if (root / "ftc.toml").is_file():
        return (
            f"--ftc-verify: no artifact is declared in {root / 'ftc.toml'}.  "
            'Complete one there: [artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"]'
        )
    return (
        f"--ftc-verify: no artifact is declared in {root}, and no Python project was found there.  "
        'Declare one: [tool.ftc.artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"], or run: ftc init'
    )
