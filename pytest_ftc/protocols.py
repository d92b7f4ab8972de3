"""What the parts promise each other.  Each strategy is one of these plus one file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pytest_ftc.model import Action, BuildResult, Difference, Environment, Machine


class Variation(Protocol):
    """One axis on which the environments of control and experiment differ."""

    @property
    def name(self) -> str:
        """The variation's name in configuration and reports, also the name of the cause."""

    @property
    def mechanism(self) -> str:
        """How it is applied, in a few words."""

    def unavailable(self, machine: Machine) -> str | None:
        """Return why `machine` cannot vary this and what would allow it, or None when it can."""

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        """Return `environment` with this variation's field changed, `token` planted in it where it can be."""

    def describe(self, environment: Environment) -> str:
        """Return the value `environment` has on this axis, for reports."""


@runtime_checkable
class SettlesControl(Protocol):
    """A variation that has a say in the control's environment too, from which all others are made."""

    def settle_control(self, environment: Environment) -> Environment:
        """Return the control's `environment` as this variation wants it."""


@runtime_checkable
class TakesTurns(Protocol):
    """A variation that has several values, for experiments beyond the first."""

    def take_turn(self, number: int) -> Variation:
        """Return the variation for the experiment `number`, counted from 1."""


MayStart: TypeAlias = "Callable[[float], bool | None]"
"""Waits at most some seconds and tells whether a command may start; None when that is not known yet."""


def at_once(_: float) -> bool:
    """Let a command start when its environment stands."""
    return True


class Executor(Protocol):
    """Runs builds."""

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        """Run one build and return what came of it; a fault is a result with status ``lost``, not an exception.

        `may_start` is asked when the environment stands; where the answer is no, the build is lost.  `started` is
        called once with the real time (seconds since 1970) at which the command starts.
        """

    def cancel(self) -> None:
        """Kill every build that runs and refuse new ones."""


class Comparator(Protocol):
    """Says where inside a differing output the difference lies."""

    def examine(self, difference: Difference, control: Path, experiment: Path) -> Sequence[Difference]:
        """Return `difference` with location, evidence, diff or note filled; several when members differ apart."""
