"""Hooks that nobody calls: a misspelt name would pass for a contribution, or end pytest with an internal error.

Every run of pytest imports this, so it imports next to nothing itself.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

PREFIX = "pytest_ftc_"
HOOK_NAMES = "ftc-hook-names"
"""The name under which `HookNames` is registered."""
NOTIFICATION = "pytest_ftc_verified"
"""The one hook that is not asked for what it adds."""
_REPORT_KEY = "ftc_hook_problems"


class HookNames:
    """Refuses hooks that begin as ours do and are not `valid`, wherever pytest comes across them.

    Once contributions were asked for, it also refuses those that come later: nobody would hear of them.
    """

    def __init__(self, valid: Collection[str]) -> None:
        self._valid = valid
        self._problems: dict[str, None] = {}
        self._asked = False
        self._is_worker = False

    @property
    def refuses(self) -> bool:
        """Whether the session ends with a usage error for one of them."""
        return bool(self._problems)

    def end_asking(self) -> None:
        """Refuse contributions from now on."""
        self._asked = True

    def pytest_plugin_registered(self, plugin: object, manager: pytest.PytestPluginManager) -> None:
        for name, function in _hooks_of(plugin, manager):
            if name not in self._valid:
                self._problems[_explain_unknown(name, function, self._valid)] = None
            elif self._asked and name != NOTIFICATION:
                self._problems[_explain_late(name, function)] = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        self._is_worker = hasattr(config, "workerinput")
        if self._problems:
            raise pytest.UsageError(*self._problems)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Mark the report in whose course a conftest.py below the root was found; it travels if this is a worker."""
        report = yield
        if self._problems:
            report.outcome = "failed"
            report.longrepr = "\n".join(self._problems)
            setattr(report, _REPORT_KEY, [*self._problems])
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        # Raised while pytest collects, it would be an error of one folder among others.
        if (problems := getattr(report, _REPORT_KEY, None)) and not self._is_worker:
            raise pytest.UsageError(*problems)


def _hooks_of(plugin: object, manager: pytest.PytestPluginManager) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the names and functions of those hooks of `plugin` that begin as ours do."""
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute) if attribute.startswith("pytest_") else None
        if options is None or options.get("optionalhook"):
            continue
        name = options.get("specname") or attribute
        if name.startswith(PREFIX):
            yield name, getattr(plugin, attribute)


def _explain_unknown(name: str, function: Callable[..., Any], valid: Collection[str]) -> str:
    from pytest_ftc.model.suggestion import did_you_mean

    hint = did_you_mean(name, valid, cutoff=0.6)
    return f"{locate(function, Path.cwd())}: unknown hook {name!r}{hint}  Valid hooks: {', '.join(sorted(valid))}"


def _explain_late(name: str, function: Callable[..., Any]) -> str:
    return (
        f"{locate(function, Path.cwd())}: {name} comes too late: it is asked before tests are collected; "
        "move it to the conftest.py of the project's root, or to a plugin"
    )


def locate(function: Callable[..., Any], root: Path) -> str:
    """Return the file and line of `function`, the file as seen from `root` if it is below."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return repr(function)
    file = Path(code.co_filename)
    shown = os.path.relpath(file, root) if file.is_relative_to(root) else str(file)
    return f"{shown}:{code.co_firstlineno}"
