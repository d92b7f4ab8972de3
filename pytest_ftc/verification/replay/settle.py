"""Following a recipe on this machine: repeating what is possible, and naming replacements and gaps."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Isolation, KernelName, Machine, Recipe

_MASK = "***"
"""Replaces a secret in every record."""


def find_gaps(recipe: Recipe, machine: Machine) -> tuple[str, ...]:
    """Return the parts of the environment that this `machine` cannot repeat, one sentence each."""
    environment = recipe.environment
    gaps = []
    if recipe.isolation is not Isolation.NONE and machine.isolation is Isolation.NONE:
        gaps.append(
            "paths, host, user, file order, process IDs and the network are this machine's: "
            f"{machine.isolation_reason or 'there are no namespaces'}"
        )
    if not machine.faketime:
        gaps.append(f"the clock is the real one: {machine.faketime_reason}")
    if machine.personality_reason and (environment.randomised_addresses or environment.kernel is KernelName.OLD):
        gaps.append(f"the kernel's name and address layout are this machine's: {machine.personality_reason}")
    locale = environment.variables.get("LC_ALL", "C")
    installed = {_plain(name) for name in (*machine.locales, "C", "POSIX")}
    if machine.locales and _plain(locale) not in installed:
        gaps.append(f"the locale {locale} is not installed here")
    if recipe.cpus and machine.cpus != recipe.cpus and not 0 < environment.cpus <= machine.cpus:
        gaps.append(f"{machine.cpus} CPUs now, {environment.cpus or recipe.cpus} then")
    if recipe.secrets and any(_MASK in text for text in (*recipe.command, *environment.variables.values())):
        gaps.append(f"a secret in the command or in a variable was replaced by {_MASK}")
    return tuple(gaps)


def _plain(locale: str) -> str:
    """Return a locale's name as ``locale -a`` spells it."""
    return locale.lower().replace("-", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Replacements of this session for folders of the recorded one."""

    root: str
    """Without namespaces, the folder for all paths of a build."""
    prepared: Sequence[str]
    path: Sequence[str]
    """The search path for commands."""
    python: str
    exists: Callable[[str], bool]


def settle(recipe: Recipe, here: Here) -> tuple[Recipe, tuple[str, ...]]:
    """Return `recipe` with this session's folders instead of missing ones, and the resulting gaps."""
    gaps = []
    moves = {then: now for then, now in zip(recipe.prepared, here.prepared, strict=False) if then != now}
    moved = _move(recipe, {os.path.dirname(then): os.path.dirname(now) for then, now in moves.items()})  # noqa: PTH120
    if moves:
        gaps.append(f"the build requirements are in {', '.join(moves.values())} now, in {', '.join(moves)} then")
    if here.root and here.root != recipe.root:
        moved = _relocate(moved, recipe.root, here.root)
        if recipe.root:
            gaps.append(f"the build runs below {here.root} now, below {recipe.root} then")
    command = moved.command
    if command[0] == recipe.python and not here.exists(recipe.python):
        moved = replace(moved, command=(here.python, *command[1:]))
        gaps.append(f"the Python is {here.python} now, {recipe.python} then")
    gone = [entry for entry in recipe.path if not here.exists(entry)]
    if gone and tuple(here.path) != recipe.path:
        moved = replace(moved, environment=_with_path(moved.environment, recipe.path, here.path))
        gaps.append(f"PATH is this session's, because {', '.join(gone[:3])} is missing")
    return moved, tuple(gaps)


def _move(recipe: Recipe, moves: Mapping[str, str]) -> Recipe:
    """Return `recipe` with the folders `moves` renamed in its command and its variables."""

    def rename(text: str) -> str:
        for then, now in moves.items():
            text = text.replace(shlex.quote(then), shlex.quote(now)) if shlex.quote(then) != then else text
            text = text.replace(then, now)
        return text

    variables = {name: rename(value) for name, value in recipe.environment.variables.items()}
    return replace(
        recipe,
        command=tuple(map(rename, recipe.command)),
        environment=replace(recipe.environment, variables=variables),
    )


def _relocate(recipe: Recipe, then: str, now: str) -> Recipe:
    """Return `recipe` with all its folders moved from below `then` to below `now`."""
    environment = recipe.environment
    folders = (environment.build_path, environment.home, environment.temp_dir)
    moves = {folder: now + folder.removeprefix(then) for folder in folders}
    moved = _move(recipe, {one: other for one, other in moves.items() if one != "/tmp"})
    build_path, home, temp_dir = moves.values()
    return replace(
        moved,
        root=now,
        environment=replace(moved.environment, build_path=build_path, home=home, temp_dir=temp_dir),
    )


def _with_path(environment: Environment, then: Sequence[str], now: Sequence[str]) -> Environment:
    """Return `environment` with the folders `then` in PATH replaced by `now`."""
    entries = environment.variables.get("PATH", "").split(os.pathsep)
    first = next((number for number, entry in enumerate(entries) if entry in then), len(entries))
    others = [entry for entry in entries[first:] if entry not in then]
    return environment.with_variables(PATH=os.pathsep.join([*entries[:first], *now, *others]))
