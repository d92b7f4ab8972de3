"""Objectives: what is wanted of builds and verifications, and how a project stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

_ROUNDING = 1e-9


class Unit(str, Enum):
    """What the value of an objective is measured in."""

    SHARE = "share"
    """From 0 to 1."""
    SECONDS = "seconds"
    COUNT = "count"
    MONEY = "money"
    """In the currency of ``[tool.ftc.cost]``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Something that is measured over the recorded sessions, and what is good."""

    name: str
    unit: Unit
    target: float | None
    """The default target; None for none: then it is only shown."""
    formula: str
    """How the value is computed, for a person."""

    @property
    def at_least(self) -> bool:
        """Whether values from the target up are good; else those up to the target."""
        return self.unit is Unit.SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One objective, and what was measured."""

    objective: Objective
    target: float | None
    value: float | None
    """None if there is no data."""
    window: float
    """Seconds."""
    budget_left: float | None
    """The part of what may go wrong in the window that has not; negative if more has, -inf if nothing may."""
    burn: Mapping[str, float | None]
    """By window: 1 spends just the budget in the time of the objective's window, inf is a budget of nothing."""
    daily: tuple[float | None, ...]
    """The values of the days of the window, oldest first."""
    unit: str
    """What the value is measured in, such as ``EUR``."""
    note: str = ""
    """Why there is no data, if it is not that nothing was recorded."""

    @property
    def spent(self) -> bool:
        """Whether the budget is spent: more went wrong than may."""
        return self.budget_left is not None and self.budget_left < -_ROUNDING
