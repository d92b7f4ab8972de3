"""How many CPUs a build may use."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Machine


class NumCpus:
    """All against one, by the affinity that nproc(1) and ``make -j`` heed, and where possible in /sys too."""

    name = "num_cpus"

    def unavailable(self, machine: Machine) -> str | None:
        return "this machine has one CPU only" if machine.cpus < 2 else None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, cpus=1)

    def describe(self, environment: Environment) -> str:
        return str(environment.cpus or "all")
