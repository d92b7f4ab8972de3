"""Asking plugins where pytest itself does not run: for the commands of ``ftc``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ftc.config.contributions import NOTHING, Contributions
from pytest_ftc.plugin.hook_calls import gather, ini_of


@dataclass(frozen=True, slots=True)
class LoadedPlugins:
    """What the plugins of a project add, as pytest would find them there."""

    added: Contributions
    ini: Path | None
    """Pytest's own ini-file, if it is in the root."""
    problem: str = ""
    """Why none could be loaded, if so: nothing is added then."""


@contextlib.contextmanager
def ask_plugins(root: Path) -> Iterator[LoadedPlugins]:
    """Load the plugins and the ``conftest.py`` of the project at `root` as pytest does, and ask them what they add.

    Where pytest itself cannot start there, nobody is asked.  Raises ConfigurationError for what a plugin adds wrongly.
    """
    from _pytest.config import ConftestImportFailure, _prepareconfig

    # Nothing is asserted here, and pytest warns that it cannot rewrite the assertions of what is imported already: an
    # error where the project takes warnings as errors.
    arguments = ["--assert=plain", f"--rootdir={root}", "--capture=no", "-p", "no:cacheprovider", str(root)]
    try:
        config = _prepareconfig(arguments)
    except (pytest.UsageError, ConftestImportFailure) as error:
        cause = error.cause if isinstance(error, ConftestImportFailure) else error
        reason = " ".join(str(cause).split())
        problem = f"pytest cannot start here, so plugins and conftest.py are not used: {type(cause).__name__}: {reason}"
        yield LoadedPlugins(NOTHING, None, problem)
        return
    try:
        yield LoadedPlugins(gather(config), ini_of(config))
    finally:
        config._ensure_unconfigure()
