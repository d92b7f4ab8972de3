"""Environment variables that no build knows."""

from __future__ import annotations

from pytest_ftc.model import Environment, Machine


class UnknownVariables:
    """One variable has another value, and one is there in the experiment only."""

    name = "environment"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return environment.with_variables(FTC_CANARY=f"ftc-variable-{token}", FTC_CANARY_EXTRA=f"ftc-extra-{token}")

    def describe(self, environment: Environment) -> str:
        names = ("FTC_CANARY", "FTC_CANARY_EXTRA")
        return " ".join(f"{name}={environment.variables[name]}" for name in names if name in environment.variables)
