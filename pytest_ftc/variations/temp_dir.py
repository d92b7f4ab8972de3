"""The folder for temporary files, by TMPDIR."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from pytest_ftc.model import Environment, Machine


class TempDir:
    """A different, empty folder."""

    name = "temp_dir"
    mechanism = "TMPDIR, an empty folder of its own"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, temp_dir=str(PurePosixPath(environment.temp_dir).parent / f"ftc-tmp-{token}"))

    def describe(self, environment: Environment) -> str:
        return environment.temp_dir
