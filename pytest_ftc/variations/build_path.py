"""The path of the build tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pytest_ftc.model import Environment, Machine

_SPACES, _LETTERS, _LONG = 3, 4, 5
"""Experiments whose paths are unusual.  The first two have plain ones: few builds are meant to bear all others."""


@dataclass(frozen=True, slots=True)
class BuildPath:
    """Paths that differ in length, depth and last component; both contain a canary.

    Further experiments have paths with spaces, with letters beyond ASCII, and of great length.
    """

    name = "build_path"
    mechanism = "bind mount of the tree; without namespaces a copy of it"

    turn: int = 1
    """The number of the experiment, which decides what kind of path it gets."""

    unusual: bool = True
    """Whether further experiments have unusual paths."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> BuildPath:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        plain = PurePosixPath(environment.build_path)
        between = {_SPACES: "else where", _LETTERS: "ailleurs-é-他", _LONG: "/".join(["elsewhere" * 4] * 5)}
        folder = between.get(self.turn, "elsewhere") if self.unusual else "elsewhere"
        other = plain.parent.parent / f"ftc-build-{token}" / folder / f"{plain.name}-{token}"
        return replace(environment, build_path=str(other))

    def describe(self, environment: Environment) -> str:
        return environment.build_path
