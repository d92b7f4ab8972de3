"""Hooks that nobody calls: a misspelt name would pass for a contribution, or end pytest with an internal error.

Every run of pytest imports this, so it imports next to nothing itself.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

PREFIX = "pytest_ftc_"


class HookNames:
    """Refuses hooks that begin as ours do and are not `valid`, wherever pytest comes across them."""

    def __init__(self, valid: Collection[str]) -> None:
        self._valid = valid
        self._problems: dict[str, None] = {}

    def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
        for name, function in _unknown(plugin, manager, self._valid):
            self._problems[_explain(name, function, self._valid)] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self) -> None:
        self._refuse()

    def pytest_collectreport(self) -> None:
        # A conftest.py below the root is found while pytest collects, where an error would be one of the folder alone.
        self._refuse()

    def _refuse(self) -> None:
        if self._problems:
            raise pytest.UsageError(*self._problems)


def _unknown(
    plugin: object, manager: pytest.PytestPluginManager, valid: Collection[str]
) -> Iterator[tuple[str, Callable[..., Any]]]:
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute) if attribute.startswith("pytest_") else None
        if options is None or options.get("optionalhook"):
            continue
        name = options.get("specname") or attribute
        if name.startswith(PREFIX) and name not in valid:
            yield name, getattr(plugin, attribute)


def _explain(name: str, function: Callable[..., Any], valid: Collection[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return f"{locate(function, Path.cwd())}: unknown hook {name!r}{hint}  Valid hooks: {', '.join(sorted(valid))}"


def locate(function: Callable[..., Any], root: Path) -> str:
    """Return the file and line of `function`, the file as seen from `root` if it is below."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return repr(function)
    file = Path(code.co_filename)
    shown = os.path.relpath(file, root) if file.is_relative_to(root) else str(file)
    return f"{shown}:{code.co_firstlineno}"
