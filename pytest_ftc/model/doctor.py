"""The result of examining a machine."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ftc.model.machine import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class VariationState:
    """One variation on one machine."""

    name: str
    in_force: bool
    """Whether a program in a varied environment observed it."""
    mechanism: str
    reason: str
    """Why it is not active, and what to install or allow; empty if it is active."""
    milliseconds: float | None
    """Additional time to set up an environment; None if it is not active."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckUp:
    """A machine, the variations it supports, and their cost."""

    machine: Machine
    control_milliseconds: float
    """Total time of an empty build in the control environment."""
    experiment_milliseconds: float
    """The same with everything varied."""
    variations: tuple[VariationState, ...]
