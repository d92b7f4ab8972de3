"""The home folder, by HOME."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from pytest_ftc.model import Environment, Machine


class Home:
    """A different, empty folder."""

    name = "home"
    mechanism = "HOME, an empty folder of its own; with namespaces /etc/passwd too"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, home=str(PurePosixPath(environment.home).parent / f"ftc-home-{token}"))

    def describe(self, environment: Environment) -> str:
        return environment.home
