"""How many CPUs a build may use."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Machine, parameter


def _read_count(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]*", text):
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True, slots=True)
class NumCpus:
    """All CPUs, or one or a few: the affinity that nproc(1) and ``make -j`` use, and what /proc and /sys show."""

    name = "num_cpus"
    mechanism = "sched_setaffinity(2), with namespaces /proc/cpuinfo, /proc/stat and /sys too"
    experiment: int = parameter(
        1,
        _read_count,
        "a whole number of CPUs, at least 1",
        written="1",
        meaning="CPUs of the experiment; the control has all",
    )

    turn: int = 1
    """The number of the experiment."""

    def unavailable(self, machine: Machine) -> str | None:
        if machine.cpus < 2:
            return "this machine has one CPU only"
        if self.experiment >= machine.cpus:
            return f"num_cpus.experiment is {self.experiment}, and the control has all {machine.cpus} CPUs there are"
        return None

    def take_turn(self, number: int) -> NumCpus:
        return replace(self, turn=number)

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        # A configured number applies to every experiment.
        more = (self.turn - 1) % (machine.cpus - 1) if self.experiment == 1 else 0
        return replace(environment, cpus=self.experiment + more)

    def describe(self, environment: Environment) -> str:
        return str(environment.cpus or "all")
