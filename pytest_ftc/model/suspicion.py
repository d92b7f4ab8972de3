"""What a difference's own values point to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pytest_ftc.model.environment import Environment


class Strength(IntEnum):
    """How much a suspicion is worth, without another build."""

    GUESS = 1
    """A shape that this cause often has, or a digest that follows from something else."""
    WEAK = 2
    """Numbers that happen to match."""
    STRONG = 3
    """A value of a certain type that lies, on each side, where that build's own values lie."""
    CERTAIN = 4
    """Each side holds its own build's unique token."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cause that the differing bytes themselves speak for."""

    cause: str
    """A `Cause`, or the name of a variation that a plugin adds."""
    strength: Strength
    control: str
    """What was matched in the control build; bytes that are no UTF-8 as escapes."""
    experiment: str
    why: str
    """One plain sentence."""

    def weakened(self, strength: Strength) -> Suspicion:
        """Return the same with at most `strength`."""
        return Suspicion(self.cause, min(self.strength, strength), self.control, self.experiment, self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What one of two builds that are compared ran in."""

    environment: Environment
    started: float
    """When it started by its own clock, seconds since 1970."""
    ended: float
    """When it ended by its own clock, seconds since 1970."""
