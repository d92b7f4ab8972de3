"""The search path of commands, by PATH."""

from __future__ import annotations

from pytest_ftc.model import Environment, Machine


class ExecPath:
    """An additional, non-existent folder at the end: the same commands are found."""

    name = "exec_path"
    mechanism = "PATH"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment.with_variables(PATH=f"{environment.variables['PATH']}:/ftc-path-{token}")

    def describe(self, environment: Environment) -> str:
        return environment.variables["PATH"]
