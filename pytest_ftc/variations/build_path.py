"""The path at which the build finds its tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pytest_ftc.model import Environment, Machine

_SPACES, _LETTERS, _LONG = 3, 4, 5
"""Experiments whose paths are unusual.  The first two have plain ones: few builds are meant to bear all others."""


@dataclass(frozen=True, slots=True)
class BuildPath:
    """Another path, of another length and depth and with another last folder; the canary is in both.

    Of further experiments one has a path with spaces, one with letters beyond ASCII, and one a long path.
    """

    name = "build_path"
    mechanism = "bind mount of the tree; without namespaces a copy of it"

    turn: int = 1
    """The number of the experiment, which decides what kind of path it gets."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> BuildPath:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        plain = PurePosixPath(environment.build_path)
        between = {_SPACES: "else where", _LETTERS: "ailleurs-é-他", _LONG: "/".join(["elsewhere" * 4] * 5)}
        folder = between.get(self.turn, "elsewhere")
        other = plain.parent.parent / f"ftc-build-{token}" / folder / f"{plain.name}-{token}"
        return replace(environment, build_path=str(other))

    def describe(self, environment: Environment) -> str:
        return environment.build_path
