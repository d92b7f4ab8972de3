"""The settings of a session: configuration, baseline and changed sources."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.changes import changed_sources
from pytest_ftc.config import OPTIONS
from pytest_ftc.config.below.folders import asks_for_folders
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.artifact import declared_name
from pytest_ftc.model.errors import ConfigurationError, SourceError
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.plugin.hook_calls import gather, ini_of
from pytest_ftc.plugin.written_files import find_written
from pytest_ftc.reporting.baseline.baseline import Baseline
from pytest_ftc.reporting.baseline.file import load_baseline

_MOST_NAMED = 20


@contextlib.contextmanager
def usage_errors() -> Iterator[None]:
    """Turn configuration errors into usage errors of pytest."""
    try:
        yield
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None


def load_settings(config: pytest.Config) -> tuple[Config, Contributions]:
    """Return the settings and the contributions of plugins."""
    with usage_errors():
        added = gather(config)
        given = {option.name: config.getoption(option.destination) for option in OPTIONS}
        settings = load_project(_root_of(config), given, added, ini=ini_of(config), needs_artifacts=False)
        for tag in dict.fromkeys(tag for artifact in settings.artifacts for tag in artifact.tags):
            # Otherwise pytest warns of an unknown mark, or fails with --strict-markers.
            config.addinivalue_line("markers", f"{tag}: artifacts with this tag")
        return replace(settings, written=find_written(config)), added


def _root_of(config: pytest.Config) -> Path:
    """Return the project's folder: pytest's root, or one above it, up to the current one, that asks for those below.

    Pytest takes the folder of a file that is named for its root if there is no configuration of its own above.
    """
    here, root = config.invocation_params.dir, config.rootpath
    if here not in root.parents:
        return root
    between = [folder for folder in root.parents if folder == here or here in folder.parents]
    return next((folder for folder in reversed(between) if asks_for_folders(folder)), root)


def load_baseline_of(config: Config) -> Baseline:
    if config.baseline is None or (config.update_baseline and not os.path.lexists(config.baseline)):
        return Baseline()
    with usage_errors():
        return load_baseline(config.baseline)


def find_changed(config: Config) -> frozenset[str]:
    """Return the ids of artifacts whose sources have changed since the commit of ``--ftc-changed-first``."""
    if not config.changed_first:
        return frozenset()
    try:
        changed = changed_sources(config.root, config.changed_first, {one.source for one in config.artifacts})
    except SourceError as error:
        raise pytest.UsageError(f"changed_first: expected a commit: {error}") from None
    return frozenset(one.id for one in config.artifacts if one.source in changed)


def check_named(pytest_config: pytest.Config, config: Config) -> None:
    """Raise ConfigurationError for an argument that names an artifact of a configuration file that is not there."""
    files = {file.resolve(): file for file in (config.file, *config.files) if file}
    for argument in pytest_config.args:
        path, _, name = argument.partition("::ftc::")
        file = files.get((pytest_config.invocation_params.dir / path).resolve())
        if not name or file is None:
            continue
        known = [declared_name(artifact.id) for artifact in config.artifacts_of(file)]
        if name not in known:
            names = [shorten(one) for one in known]
            shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
            there = f"  Artifacts: {shown}" if names else ""
            raise ConfigurationError(
                f"{shorten(argument)} not found: no artifact is named {name!r}{did_you_mean(name, names)}{there}"
            )


def add_to_arguments(pytest_config: pytest.Config, config: Config) -> str:
    """Add the configuration files to the arguments where the command line names no path.

    Returns a note on the artifacts that the paths named there leave aside; empty if there are none.
    """
    if config.file is None or any("::" in argument for argument in pytest_config.args):
        return ""
    base = pytest_config.invocation_params.dir
    asked = [(base / argument).resolve() for argument in pytest_config.args]
    files = config.files or (config.file,)
    missing = [file for file in files if not _covers(asked, file.resolve())]
    # Not those of addopts and testpaths: they say where tests are, not what is run now.
    if not set(pytest_config.args) & set(pytest_config.invocation_params.args):
        pytest_config.args += map(str, missing)
        return ""
    count = len(config.artifacts)
    if not count or len(missing) < len(files):
        return ""
    some = " and of folders below" if config.below else ""
    whose = f"{count} artifact{'s' if count > 1 else ''} of {config.file.name}{some}"
    file = shlex.quote(os.path.relpath(config.file, base))
    command = "ftc verify" if config.below else f"pytest --ftc-verify {file}"
    return f"{whose} not verified, since other paths were named; to verify them: {command}"


def _covers(asked: list[Path], file: Path) -> bool:
    return any(one == file or one in file.parents for one in asked)
