"""The settings of a session: configuration, baseline and changed sources."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_ftc.builds.inputs.changes import changed_sources
from pytest_ftc.config import OPTIONS
from pytest_ftc.config.contributions import Contributions
from pytest_ftc.config.load import Config
from pytest_ftc.config.project import load_project
from pytest_ftc.model.artifact import declared_id
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
        settings = load_project(config.rootpath, given, added, ini=ini_of(config), needs_artifacts=False)
        for tag in dict.fromkeys(tag for artifact in settings.artifacts for tag in artifact.tags):
            # Otherwise pytest warns of an unknown mark, or fails with --strict-markers.
            config.addinivalue_line("markers", f"{tag}: artifacts with this tag")
        return replace(settings, written=find_written(config)), added


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
    """Raise ConfigurationError for an argument that names an artifact of the configuration file that is not there."""
    known = {artifact.id: artifact.name for artifact in config.artifacts}
    if config.file is None:
        return
    for argument in pytest_config.args:
        file, _, name = argument.partition("::ftc::")
        if not name or (pytest_config.invocation_params.dir / file).resolve() != config.file.resolve():
            continue
        if declared_id(config.file.name, name) not in known:
            names = [shorten(one) for one in known.values()]
            shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
            there = f"  Artifacts: {shown}" if names else ""
            raise ConfigurationError(
                f"{shorten(argument)} not found: no artifact is named {name!r}{did_you_mean(name, names)}{there}"
            )


def add_to_arguments(pytest_config: pytest.Config, config: Config) -> str:
    """Add the configuration file to the arguments where the command line names no path.

    Returns a note on the artifacts that the paths named there leave aside; empty if there are none.
    """
    if config.file is None or any("::" in argument for argument in pytest_config.args):
        return ""
    base = pytest_config.invocation_params.dir
    asked = [(base / argument).resolve() for argument in pytest_config.args]
    target = config.file.resolve()
    if any(folder == target or folder in target.parents for folder in asked):
        return ""
    # Not those of addopts and testpaths: they say where tests are, not what is run now.
    if not set(pytest_config.args) & set(pytest_config.invocation_params.args):
        pytest_config.args.append(str(config.file))
        return ""
    count = len(config.artifacts)
    if not count:
        return ""
    whose = f"{count} artifact{'s' if count > 1 else ''} of {config.file.name}"
    file = shlex.quote(os.path.relpath(config.file, base))
    return f"{whose} not verified, since other paths were named; to verify them: pytest --ftc-verify {file}"
