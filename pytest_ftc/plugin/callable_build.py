"""Python functions as builds: a command that calls the function in a fresh interpreter."""

from __future__ import annotations

import base64
import inspect
import json
import os
import pickle
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from pytest_ftc.model.errors import ConfigurationError

_CALL = (
    "import base64, importlib, json, pickle, sys; sys.path[:1] = json.loads(sys.argv[1]); "
    "function = importlib.import_module(sys.argv[2]); "
    "exec('for name in sys.argv[3].split(\".\"): function = getattr(function, name)'); "
    "args, keywords = pickle.loads(base64.b64decode(sys.argv[4])); function(*args, **keywords)"
)


def describe_call(function: Callable[..., object], source: Path) -> list[str]:
    """Return a command that calls `function`, defined in a module below `source`, in a fresh interpreter.

    It imports from the folders of `sys.path` that are below `source`.  Raises ConfigurationError if the function cannot
    be imported by name or its arguments cannot be pickled.
    """
    bound = function if isinstance(function, partial) else partial(function)
    target, args, keywords = bound.func, bound.args, bound.keywords
    name = getattr(target, "__qualname__", "")
    shown = f"ftc.verify(): build: {name or repr(function)}"
    if kind := _find_obstacle(target, name):
        raise ConfigurationError(
            f"{shown} is {kind}; expected a module-level function, which another process can import and call"
        )
    file = Path(inspect.getfile(target)).resolve()
    if not file.is_relative_to(source):
        raise ConfigurationError(f"{shown} is in {file}; expected a module below the source {source}")
    folder, module = _importable(target.__module__, file)
    try:
        given = base64.b64encode(pickle.dumps((args, keywords), protocol=4)).decode()
    except Exception as error:
        raise ConfigurationError(f"{shown}: its arguments cannot be pickled: {error}") from None
    folders = dict.fromkeys(os.path.relpath(one, source) for one in (folder, *_search_path(source)))
    return [sys.executable, "-c", _CALL, json.dumps(list(folders)), module, name, given]


def _find_obstacle(target: Callable[..., object], name: str) -> str:
    """Return why another process cannot import and call `target`; empty if it can."""
    if "<lambda>" in name:
        return "a lambda"
    if "<locals>" in name:
        return "defined inside a function"
    if inspect.ismethod(target):
        return "a bound method"
    if not inspect.isfunction(target):
        return "not a function"
    if inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target):
        return "a coroutine function, which does nothing when it is called"
    if inspect.isgeneratorfunction(target):
        return "a generator function, which does nothing when it is called"
    return ""


def _search_path(source: Path) -> Iterator[Path]:
    """Yield the folders of `sys.path` below `source`, of which each build has a copy."""
    for entry in sys.path:
        path = Path(entry).resolve()
        if path.is_relative_to(source) and path.is_dir():
            yield path


def _importable(module: str, file: Path) -> tuple[Path, str]:
    """Return the folder on `sys.path` and the module name with which to import `file`."""
    parts = module.split(".")
    path = file.parent if file.name == "__init__.py" else file.with_suffix("")
    if list(path.parts[-len(parts) :]) == parts:
        return path.parents[len(parts) - 1], module
    return path.parent, path.name  # as --import-mode=importlib names it
