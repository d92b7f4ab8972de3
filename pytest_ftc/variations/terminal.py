"""The terminal that programs see, by TERM, COLUMNS and LINES."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine


@dataclass(frozen=True, slots=True)
class Terminal:
    """``xterm`` with 80 × 24 cells, or ``dumb`` with 133 × 43 and slightly larger in further experiments."""

    name = "terminal"
    mechanism = "TERM, COLUMNS, LINES"
    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def take_turn(self, number: int) -> Terminal:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment.with_variables(TERM="dumb", COLUMNS=str(132 + self.turn), LINES=str(42 + self.turn))

    def describe(self, environment: Environment) -> str:
        return " ".join(environment.variables[name] for name in ("TERM", "COLUMNS", "LINES"))
