"""The marker ``ftc``: a test that is an artifact, rebuilt by its node id in a separate pytest process."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.unittest import TestCaseFunction

from pytest_ftc.config.load import make_artifact
from pytest_ftc.model import Artifact
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.plugin.output_folder import OUTPUT
from pytest_ftc.variations.specification import Vocabulary

_FOLDER = "ftc-output"
_AUTOLOAD = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
_USELESS = ("no:cacheprovider", "no:randomly")
"""Disabled plugins: a build does not need pytest's cache, and pytest-randomly would set a different seed in each."""


def declare_test(item: pytest.Function, root: Path, known: Vocabulary) -> Artifact:
    """Return the artifact for a test marked with ``ftc``; its build runs only that test, by node id.

    `known` holds the names of variations.  Raises UsageError.
    """
    marker = item.get_closest_marker("ftc")
    assert marker is not None
    keys = dict(marker.kwargs)
    outputs = keys.pop("outputs", None)
    try:
        if marker.args or not isinstance(outputs, (list, tuple)):
            raise ConfigurationError('expected a list of outputs: @pytest.mark.ftc(outputs=["report.pdf"])')
        if not item.path.is_relative_to(root):
            reason = f"it is in {item.path}, outside the rootdir {root}, of which builds see a copy"
            raise ConfigurationError(f"{reason}; see --rootdir")
        words = [sys.executable, "-m", "pytest", "-q", "-rfEs", *_settings(item.config, root), item.nodeid]
        table = {"build": words, "outputs": [f"{_FOLDER}/{glob}" for glob in outputs], **keys}
        artifact = make_artifact(item.nodeid, item.nodeid, root, table, "@pytest.mark.ftc", known)
    except ConfigurationError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None
    autoload = {_AUTOLOAD: os.environ[_AUTOLOAD]} if os.environ.get(_AUTOLOAD) else {}
    return replace(artifact, env={**autoload, **artifact.env, OUTPUT: _FOLDER})


def _settings(config: pytest.Config, root: Path) -> Iterator[str]:
    """Yield options with which a separate pytest finds the test and its fixtures as this one does.

    The project's own options (``addopts``) are dropped, since they may request workers or this plugin again.
    """
    yield from ("--override-ini=addopts=", f"--import-mode={config.getoption('importmode')}", "--rootdir=.")
    if config.inipath and config.inipath.is_relative_to(root):
        yield from ("-c", str(config.inipath.relative_to(root)))
    for setting in config.getoption("override_ini") or ():
        if not setting.startswith("addopts="):
            yield f"--override-ini={setting}"
    for plugin in dict.fromkeys((*_USELESS, *(config.getoption("plugins") or ()))):
        if plugin != "no:terminal":  # the log of a build has to show errors
            yield from ("-p", plugin)


def is_rebuilt(item: pytest.Item) -> bool:
    """Return whether the test `item` is an artifact: it is marked and uses ``ftc_output``."""
    return item.get_closest_marker("ftc") is not None and "ftc_output" in getattr(item, "fixturenames", ())


def marked_tests(items: Iterable[pytest.Item]) -> list[pytest.Function]:
    """Return those of `items` that are artifacts.

    Raises UsageError for a test that has the marker itself, or inherits it and uses ``ftc_output``, but cannot be
    rebuilt: it would pass unverified.
    """
    found = []
    for item in items:
        own = any(mark.name == "ftc" for mark in item.own_markers)
        if isinstance(item, pytest.Function) and (own or is_rebuilt(item)):
            if isinstance(item, TestCaseFunction):
                raise pytest.UsageError(
                    f"{item.nodeid}: a method of a unittest.TestCase cannot be rebuilt; "
                    "make it a function or a method of a plain class, with the fixture ftc_output"
                )
            if not is_rebuilt(item):
                raise pytest.UsageError(
                    f"{item.nodeid}: it is marked with ftc but does not use the fixture ftc_output, "
                    "the folder for the files to compare"
                )
            found.append(item)
    return found
