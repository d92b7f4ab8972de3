"""Calls the hooks of `pytest_ftc.plugin.hookspecs`: collects contributions and notifies of verifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from pytest_ftc.config.contributions import Contributions, Declared
from pytest_ftc.model import RemedyTemplate, Verification
from pytest_ftc.model.cause import NO_VARIATIONS
from pytest_ftc.model.errors import ConfigurationError, FtcError
from pytest_ftc.model.protocols import Comparator, Diagnoser, Executor, Store, Variation
from pytest_ftc.model.support.printable import shorten
from pytest_ftc.model.support.suggestion import did_you_mean
from pytest_ftc.plugin.hook_validation import locate
from pytest_ftc.variations import CATALOGUE, PRESETS

if TYPE_CHECKING:
    from pathlib import Path

    from pluggy import HookCaller, HookImpl

T = TypeVar("T")


def gather(config: pytest.Config) -> Contributions:
    """Return the contributions of all plugins.  Raises ConfigurationError for invalid ones."""
    variations = [one for one, _ in _checked_variations(config)]
    names = [*(variation.name for variation in (*CATALOGUE, *variations)), *NO_VARIATIONS]
    return Contributions(
        artifacts=[_declared(table, where) for table, where in _ask(config, "pytest_ftc_artifacts", "artifact tables")],
        variations=variations,
        comparators=_promised(config, "pytest_ftc_comparators", Comparator),
        diagnosers=_promised(config, "pytest_ftc_diagnosers", Diagnoser),
        templates=[
            _checked_template(template, where, names)
            for template, where in _ask(config, "pytest_ftc_remedies", "Remedies")
        ],
        make_executor=partial(_make, config, "pytest_ftc_make_executor", Executor),
        make_store=partial(_make, config, "pytest_ftc_make_store", Store),
    )


def ini_of(config: pytest.Config) -> Path | None:
    """Return pytest's configuration file if it is in the root."""
    return config.inipath if config.inipath and config.inipath.parent == config.rootpath else None


def notify(config: pytest.Config, verification: Verification) -> Iterator[str]:
    """Notify every plugin of `verification` and yield the errors; one that fails does not affect the others."""
    for implementation, call in _callers(config, config.hook.pytest_ftc_verified):
        if problem := _notify_one(call, verification):
            yield f"{_where(implementation, config)}: pytest_ftc_verified failed: {problem}"


def _notify_one(call: Callable[..., Any], verification: Verification) -> str:
    """Return the error message; empty on success."""
    try:
        call(verification=verification)
    except pytest.exit.Exception:
        raise
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        return f"{type(error).__name__}: {shorten(str(error))}"
    return ""


def _callers(config: pytest.Config, hook: HookCaller) -> Iterator[tuple[HookImpl, Callable[..., Any]]]:
    """Yield each implementation of `hook` with a function that calls only it, inside all wrappers."""
    manager = config.pluginmanager
    all_of_them = [one for one in hook.get_hookimpls() if not (one.wrapper or one.hookwrapper)]
    # Call in the order of registration, so that plugins come before the project's conftest.py.
    for one in all_of_them:
        others = [other.plugin for other in all_of_them if other.plugin is not one.plugin]
        yield one, manager.subset_hook_caller(hook.name, others)


def _where(implementation: HookImpl, config: pytest.Config) -> str:
    return locate(implementation.function, config.rootpath)


def _ask(config: pytest.Config, name: str, expected: str) -> Iterator[tuple[Any, str]]:
    """Yield what each implementation of the hook `name` adds, with its location."""
    for implementation, call in _callers(config, getattr(config.hook, name)):
        where = f"{_where(implementation, config)}: {name}"
        for found in _attempt(partial(call, config=config), where):
            if isinstance(found, (str, bytes, Mapping)) or not isinstance(found, Iterable):
                raise ConfigurationError(f"{where}: expected a list of {expected}, found {_show(found)}")
            # A generator function runs only here.
            items: list[Any] = _attempt(partial(list, found), where)
            for one in items:
                yield one, where


def _attempt(act: Callable[[], T], where: str) -> T:
    try:
        return act()
    except (FtcError, pytest.UsageError) as error:
        raise ConfigurationError(f"{where}: {error}") from error
    except Exception as error:
        raise ConfigurationError(f"{where} failed: {type(error).__name__}: {shorten(str(error))}") from error


def _declared(table: object, where: str) -> Declared:
    if not isinstance(table, Mapping) or not isinstance(table.get("name"), str):
        expected = 'a table with the keys of an artifact, and "name"'
        raise ConfigurationError(f"{where}: expected {expected}, found {_show(table)}")
    return Declared(name=table["name"], table={key: table[key] for key in table if key != "name"}, where=where)


def _promised(config: pytest.Config, name: str, promise: Any) -> list[Any]:
    return [_check(one, promise, where) for one, where in _ask(config, name, f"{promise.__name__}s")]


def _checked_variations(config: pytest.Config) -> Iterator[tuple[Variation, str]]:
    taken = {
        **{variation.name: "a variation of pytest-ftc" for variation in CATALOGUE},
        **dict.fromkeys(("all", "none", *PRESETS, *NO_VARIATIONS), "a keyword of pytest-ftc"),
    }
    for one, where in _ask(config, "pytest_ftc_variations", "Variations"):
        variation: Variation = _check(one, Variation, where)
        name, mechanism = variation.name, variation.mechanism
        if not isinstance(name, str) or not name.isascii() or not name.isidentifier():
            raise ConfigurationError(f"{where}: expected a name of letters, digits and '_', found {_show(name)}")
        if not isinstance(mechanism, str):
            raise ConfigurationError(f"{where}: {name}: expected a mechanism in words, found {_show(mechanism)}")
        if name in taken:
            raise ConfigurationError(f"{where}: the name {name!r} is already used by {taken[name]}")
        taken[name] = f"a variation of {where}"
        yield variation, where


def _checked_template(template: object, where: str, names: Sequence[str]) -> RemedyTemplate:
    if not isinstance(template, RemedyTemplate):
        raise ConfigurationError(f"{where}: expected pytest_ftc.RemedyTemplate, found {_show(template)}")
    for kind in ("causes", "formats", "fields", "tools"):
        if isinstance(getattr(template, kind), str):
            raise ConfigurationError(f"{where}: {kind}: expected a set, found {_show(getattr(template, kind))}")
    for cause in template.causes:
        if cause not in names:
            hint = did_you_mean(str(cause), names)
            raise ConfigurationError(f"{where}: unknown cause {cause!r}{hint}  Causes: {', '.join(names)}")
    return template


def _check(value: Any, promise: Any, where: str) -> Any:
    """Return `value` if it has the members of the protocol `promise`.  Raises ConfigurationError."""
    if isinstance(value, type):
        raise ConfigurationError(f"{where}: expected an object, found the class {value.__name__}; call it")
    members = [name for name in dir(promise) if not name.startswith("_")]
    if missing := [name for name in members if not hasattr(value, name)]:
        needs = f"a {promise.__name__} with {', '.join(members)}"
        raise ConfigurationError(f"{where}: expected {needs}; {_show(value)} has no {', '.join(missing)}")
    return value


def _make(config: pytest.Config, name: str, promise: Any) -> Any:
    hook: HookCaller = getattr(config.hook, name)
    where = f"{', '.join(_where(one, config) for one in hook.get_hookimpls())}: {name}"
    made = _attempt(partial(hook, config=config), where)
    return None if made is None else _check(made, promise, where)


def _show(value: object) -> str:
    return shorten(repr(value), 80)
