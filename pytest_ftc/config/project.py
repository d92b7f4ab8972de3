"""The settings of a project and its artifacts, declared or implicit."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from pytest_ftc.builds.requirements.python import OUTPUTS
from pytest_ftc.config.below.join import add_below
from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.config.load import Config, load_config
from pytest_ftc.config.plugin_artifacts import add_artifacts
from pytest_ftc.config.python_project import declare, preset_of
from pytest_ftc.model.errors import ConfigurationError


def load_project(
    root: Path,
    given: Mapping[str, str | bool | None],
    added: Contributions = NOTHING,
    *,
    ini: Path | None = None,
    needs_artifacts: bool = True,
) -> Config:
    """Return the settings of the project at `root` with its artifacts: those declared, and a Python project's defaults.

    With ``discover``, those of configurations in folders below are among them.  Artifacts that plugins have `added`
    follow; without a configuration file, their ids begin with pytest's `ini`.
    Raises ConfigurationError, also if there are no artifacts but it `needs_artifacts`.
    """
    names = {one.name for one in added.artifacts}
    loaded = _add_defaults(load_config(root, given, added.vocabulary), names)
    loaded = add_below(
        loaded,
        added.vocabulary,
        varies=given.get("variations") is not None,
        add_defaults=partial(_add_defaults, of_plugins=()),
    )
    loaded = add_artifacts(loaded, added.artifacts, loaded.file or ini, replace(added.vocabulary, named=loaded.sets))
    if needs_artifacts and not loaded.artifacts:
        raise ConfigurationError(explain_nothing(loaded))
    return loaded


def _add_defaults(loaded: Config, of_plugins: Collection[str]) -> Config:
    """Return `loaded` with the sdist and the wheel that no table declares, if they are wanted.

    Beside declared artifacts, names `of_plugins` are theirs.
    """
    if loaded.build_file is None or loaded.defaults is False:
        return loaded
    here = loaded.build_file.parent.resolve()
    presets = {one.preset for one in loaded.artifacts if one.source == here}
    if not (loaded.defaults or not loaded.artifacts or presets - {None}):
        return loaded
    taken = {*(one.name for one in loaded.artifacts), *(of_plugins if loaded.artifacts else ())}
    file = loaded.file if loaded.file and loaded.artifacts else loaded.build_file
    missing = tuple(
        replace(artifact, **{"strict": loaded.strict, "pass_sockets": loaded.pass_sockets, **loaded.shared})
        for artifact in declare(file)
        if artifact.preset not in presets and artifact.name not in taken
    )
    return replace(loaded, file=file, artifacts=(*loaded.artifacts, *missing))


def explain_nothing(loaded: Config) -> str:
    """Return the error message if there is nothing to verify."""
    root = loaded.root
    if loaded.build_file and loaded.defaults is False:
        return (
            f"--ftc-verify: no artifact is declared in {root}, and defaults = false leaves out the sdist and the "
            "wheel.  Declare an artifact, or remove that key"
        )
    if (root / "ftc.toml").is_file():
        return (
            f"--ftc-verify: no artifact is declared in {root / 'ftc.toml'}.  "
            'Complete one there: [artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"]'
        )
    return (
        f"--ftc-verify: no artifact is declared in {root}, and no Python project was found there.  "
        'Declare one: [tool.ftc.artifacts.NAME] with build = "COMMAND" and outputs = ["GLOB"], or run: ftc init'
    )


def explain_hidden(loaded: Config) -> str:
    """Return that the sdist or the wheel is not verified because only a command has its name; else empty."""
    presets, names = {one.preset for one in loaded.artifacts}, {one.name for one in loaded.artifacts}
    hidden = [kind for kind in OUTPUTS if preset_of(kind) not in presets and kind not in names]
    if loaded.build_file is None or loaded.defaults is False or len(hidden) != 1:
        return ""
    (kind,) = hidden
    advice = declaration_of(kind, loaded.file.name if loaded.file else "")
    return f"the {kind} of this project is not verified, since only what is declared is; {advice}"


def declaration_of(kind: str, file: str) -> str:
    """Return how to declare the artifact `kind`, the sdist or the wheel, in the configuration called `file`."""
    table = f"artifacts.{kind}" if file == "ftc.toml" else f"tool.ftc.artifacts.{kind}"
    return f'to declare it too, add [{table}] with preset = "{kind}"'
