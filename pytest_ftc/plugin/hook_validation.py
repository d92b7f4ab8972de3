"""Rejects hooks that are never called: misspelt names, and contributions registered too late.

Imported only if there is such a hook, or with ``--ftc-verify``.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftc.plugin import hookspecs

if TYPE_CHECKING:
    from pluggy import HookCaller, HookImpl

PREFIX = "pytest_ftc_"
NOTIFICATION = "pytest_ftc_verified"
"""The only hook that contributes nothing."""
_ASKED = pytest.StashKey[list["HookImpl"]]()


def end_asking(config: pytest.Config) -> None:
    """Reject contributions registered from now on."""
    config.stash[_ASKED] = [one for hook in _our_hooks(config) for one in hook.get_hookimpls()]


def find_problems(config: pytest.Config) -> list[str]:
    """Return an explanation for each hook that is never called."""
    valid = [name for name in vars(hookspecs) if name.startswith(PREFIX)]
    asked = config.stash.get(_ASKED, None)
    problems: dict[str, None] = {}
    for hook in _our_hooks(config):
        for one in hook.get_hookimpls():
            if one.optionalhook:
                continue
            if hook.name not in valid:
                problems[_explain_unknown(hook.name, one.function, valid)] = None
            elif asked is not None and one not in asked and hook.name != NOTIFICATION:
                problems[_explain_late(hook.name, one.function)] = None
    return [*problems]


def _our_hooks(config: pytest.Config) -> Iterator[HookCaller]:
    for name, hook in vars(config.hook).items():
        if name.startswith(PREFIX):
            yield hook


def _explain_unknown(name: str, function: Callable[..., Any], valid: Collection[str]) -> str:
    from pytest_ftc.model.support.suggestion import did_you_mean

    hint = did_you_mean(name, valid, cutoff=0.6)
    return f"{locate(function, Path.cwd())}: unknown hook {name!r}{hint}  Valid hooks: {', '.join(sorted(valid))}"


def _explain_late(name: str, function: Callable[..., Any]) -> str:
    return (
        f"{locate(function, Path.cwd())}: {name} is registered too late: it is called before tests are collected; "
        "move it to the conftest.py of the project's root, or to a plugin"
    )


def locate(function: Callable[..., Any], root: Path) -> str:
    """Return the file and line of `function`; the file is relative to `root` if it is below it."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None:
        return repr(function)
    file = Path(code.co_filename)
    shown = os.path.relpath(file, root) if file.is_relative_to(root) else str(file)
    return f"{shown}:{code.co_firstlineno}"
