"""Causes suggested by the values of a difference."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from pytest_ftc.model.environment import Environment


class Strength(IntEnum):
    """The strength of a suspicion, without another build."""

    GUESS = 1
    """A shape typical of this cause, or a digest derived from something else."""
    WEAK = 2
    """Numbers that may match by coincidence."""
    STRONG = 3
    """A value of a known type that, on each side, fits that build's own values."""
    CERTAIN = 4
    """Each side holds its own build's unique token."""


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A cause suggested by the differing bytes."""

    cause: str
    """A `Cause`, or the name of a variation that a plugin adds."""
    strength: Strength
    control: str
    """The match in the control build; bytes that are not UTF-8 are escaped."""
    experiment: str
    why: str
    """One plain sentence."""

    def weakened(self, strength: Strength) -> Suspicion:
        """Return a copy, limited to `strength`."""
        return Suspicion(self.cause, min(self.strength, strength), self.control, self.experiment, self.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """The conditions of one of two compared builds."""

    environment: Environment
    started: float
    """When it started by its own clock, seconds since 1970."""
    ended: float
    """When it ended by its own clock, seconds since 1970."""
