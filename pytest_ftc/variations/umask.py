"""The permission bits that new files lack, see umask(2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine

_MASKS = (0o007, 0o077, 0o002, 0o027)
"""All in use.  The first gives rights that the control's 022 takes, and takes others: no chmod of all files hides both.

The first two differ from it in all bits that a umask reaches.
"""


@dataclass(frozen=True, slots=True)
class Umask:
    """0022 against 0007 and, in further experiments, 0077, 0002 and 0027."""

    name = "umask"
    mechanism = "umask(2)"
    turn: int = 1
    """The number of the experiment, which decides which of several values it gets."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> Umask:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, umask=_MASKS[(self.turn - 1) % len(_MASKS)])

    def describe(self, environment: Environment) -> str:
        return f"{environment.umask:04o}"
