"""The permission bits that new files do not get, see umask(2)."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Machine


class Umask:
    """0022 against 0002, both in common use."""

    name = "umask"
    mechanism = "umask(2)"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, umask=0o002)

    def describe(self, environment: Environment) -> str:
        return f"{environment.umask:04o}"
