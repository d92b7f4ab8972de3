"""Following a recipe on this machine: what is as it was then, what takes its place, and what cannot be repeated."""

from __future__ import annotations

import math
import os
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Isolation, KernelName, Machine, Recipe

_MASK = "***"
"""What stands for a secret in all that is written down."""
_SET_UP = 0.5
"""Seconds that an environment has to be set up before the clock begins."""


@dataclass(frozen=True, slots=True)
class Start:
    """When to start a build so that its clock begins at the same moment as then."""

    at: float
    """Real time, seconds since 1970."""
    shift: int
    """Seconds by which the clock is moved."""

    def wait(self, patience: float) -> bool | None:
        """Return True when it is time, None when it is not yet after `patience` seconds."""
        left = self.at - time.time()
        time.sleep(max(0.0, min(left, patience)))
        return True if left <= patience else None


def plan_start(then: float, shift: int, now: float) -> Start:
    """Return when a build starts whose clock, `shift` seconds ahead, began at the real time `then`.

    The clock is moved by whole seconds, so the start waits for the same fraction of a second.
    """
    moment = then + shift
    new_shift = math.floor(moment - now - _SET_UP)
    return Start(at=moment - new_shift, shift=new_shift)


def find_gaps(recipe: Recipe, machine: Machine) -> tuple[str, ...]:
    """Return what of the environment cannot be as it was on this `machine`, one sentence each."""
    environment = recipe.environment
    gaps = []
    if recipe.isolation is not Isolation.NONE and machine.isolation is Isolation.NONE:
        gaps.append(
            "paths, host, user, file order, process ids and the network are this machine's: "
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
        gaps.append(f"{machine.cpus} CPUs, then {environment.cpus or recipe.cpus}")
    if recipe.secrets and any(_MASK in text for text in (*recipe.command, *environment.variables.values())):
        gaps.append(f"a secret stood in the command or in a variable, and is {_MASK} now")
    return tuple(gaps)


def _plain(locale: str) -> str:
    """Return a locale's name as ``locale -a`` spells it."""
    return locale.lower().replace("-", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """What this session puts in the place of what only the earlier one had."""

    root: str
    """Where there are no namespaces, the folder for all paths of a build."""
    prepared: Sequence[str]
    path: Sequence[str]
    """The search path for commands."""
    python: str
    exists: Callable[[str], bool]


def settle(recipe: Recipe, here: Here) -> tuple[Recipe, tuple[str, ...]]:
    """Return `recipe` with this session's folders for those that are gone, and what is therefore not as then."""
    gaps = []
    moves = {then: now for then, now in zip(recipe.prepared, here.prepared, strict=False) if then != now}
    moved = _move(recipe, {os.path.dirname(then): os.path.dirname(now) for then, now in moves.items()})  # noqa: PTH120
    if moves:
        gaps.append(f"the build requirements are in {', '.join(moves.values())}, then in {', '.join(moves)}")
    if here.root and here.root != recipe.root:
        moved = _relocate(moved, recipe.root, here.root)
        if recipe.root:
            gaps.append(f"the build runs below {here.root}, then below {recipe.root}")
    command = moved.command
    if command[0] == recipe.python and not here.exists(recipe.python):
        moved = replace(moved, command=(here.python, *command[1:]))
        gaps.append(f"the Python is {here.python}, then {recipe.python}")
    gone = [entry for entry in recipe.path if not here.exists(entry)]
    if gone and tuple(here.path) != recipe.path:
        moved = replace(moved, environment=_with_path(moved.environment, recipe.path, here.path))
        gaps.append(f"PATH is this session's, since {', '.join(gone[:3])} is not here")
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
    """Return `recipe` with all its folders, which were below `then`, below `now`."""
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
    """Return `environment` with the folders `now` in PATH where those of `then` were."""
    entries = environment.variables.get("PATH", "").split(os.pathsep)
    first = next((number for number, entry in enumerate(entries) if entry in then), len(entries))
    others = [entry for entry in entries[first:] if entry not in then]
    return environment.with_variables(PATH=os.pathsep.join([*entries[:first], *now, *others]))
