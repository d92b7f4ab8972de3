"""The path at which the build finds its tree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from pytest_ftc.model import Environment, Machine


class BuildPath:
    """Another path, of another length and depth and with another last folder; the canary is in both."""

    name = "build_path"
    mechanism = "bind mount of the tree; without namespaces a copy of it"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        plain = PurePosixPath(environment.build_path)
        other = plain.parent.parent / f"ftc-build-{token}" / "elsewhere" / f"{plain.name}-{token}"
        return replace(environment, build_path=str(other))

    def describe(self, environment: Environment) -> str:
        return environment.build_path
