"""Loading pytest plugins outside a pytest session, for the ``ftc`` commands."""

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
    """What the plugins and ``conftest.py`` of a project contribute."""

    added: Contributions
    ini: Path | None
    """Pytest's configuration file, if it is in the root."""
    problem: str = ""
    """Why plugins could not be loaded, if so; then nothing is added."""


@contextlib.contextmanager
def ask_plugins(root: Path) -> Iterator[LoadedPlugins]:
    """Load the plugins and the ``conftest.py`` of the project at `root` as pytest does, and collect what they add.

    If pytest cannot start there, the result has a `problem` and no contributions.  Raises ConfigurationError for
    invalid contributions.
    """
    from _pytest.config import ConftestImportFailure, _prepareconfig

    # Assertion rewriting is not needed, and pytest warns about modules that are already imported, which is an error in
    # projects that turn warnings into errors.
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
