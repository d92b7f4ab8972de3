"""Which of a farm's machines a build runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_ftc.model import Environment, Machine, Replica
from pytest_ftc.model.cause import Cause


@dataclass(frozen=True, slots=True)
class OtherMachine:
    """Workers of two kinds, told apart by their platform properties: replicas, as in replicated computing."""

    name = Cause.MACHINE.value
    mechanism = "the platform properties of [tool.ftc.remote.replicas]"

    properties: Mapping[Replica, Mapping[str, str]] = field(default_factory=dict)
    """What workers of each kind must have; empty where builds have one machine only."""

    def unavailable(self, machine: Machine) -> str | None:
        if self.properties:
            return None
        return "builds run on one machine; --ftc-executor=reapi and [tool.ftc.remote.replicas] give them two"

    def settle_control(self, environment: Environment) -> Environment:
        return replace(environment, replica=Replica.CONTROL) if self.properties else environment

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, replica=Replica.EXPERIMENT)

    def describe(self, environment: Environment) -> str:
        found = self.properties.get(environment.replica or Replica.CONTROL, {})
        return ", ".join(f"{name}={found[name]}" for name in sorted(found))
