"""The permission bits of the source files that a checkout does not record: those of group and others."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine

_MASKS = (0o077, 0o002, 0o027, 0o077)
"""In no experiment the same as the umask, so that a mode shows from which of the two it comes."""


@dataclass(frozen=True, slots=True)
class SourceMode:
    """As in the project against what a checkout under a umask of 0077 leaves; in further experiments 0002 and 0027.

    Only bits of group and others change.  A file that has these bits already gets those of a umask of 0022.  Folders
    are as under 0002: dpkg-deb and others refuse closed ones.
    """

    name = "source_mode"
    mechanism = "fchmod(2) on a copy of the tree"
    turn: int = 1
    """The number of the experiment, which decides which of several umasks it is."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> SourceMode:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, source_umask=_MASKS[(self.turn - 1) % len(_MASKS)])

    def describe(self, environment: Environment) -> str:
        mask = environment.source_umask
        return "as in the project" if mask is None else f"as under umask {mask:04o}"
