"""The terminal that programs believe to write to, by TERM, COLUMNS and LINES."""

from __future__ import annotations

from pytest_ftc.model import Environment, Machine


class Terminal:
    """``xterm`` of 80 × 24 against ``dumb`` of 133 × 43."""

    name = "terminal"
    mechanism = "TERM, COLUMNS, LINES"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment.with_variables(TERM="dumb", COLUMNS="133", LINES="43")

    def describe(self, environment: Environment) -> str:
        return " ".join(environment.variables[name] for name in ("TERM", "COLUMNS", "LINES"))
