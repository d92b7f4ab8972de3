"""What a look at a machine finds."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationState:
    """One variation on one machine."""

    name: str
    in_force: bool
    """Whether a program in a varied environment was seen to see it."""
    mechanism: str
    reason: str
    """Why it is not in force, and what to install or allow; empty when it is."""
    milliseconds: float | None
    """What it adds to setting up an environment; None when it is not in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp:
    """A machine, what can be varied on it, and what that costs."""

    machine: Machine
    control_milliseconds: float
    """A build that does nothing in the plain environment, all in all."""
    experiment_milliseconds: float
    """The same with everything varied."""
    variations: tuple[VariationState, ...]
