"""Whether other machines can be reached."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Isolation, Machine


class Network:
    """The machine's network against loopback alone, where the control has a network to lose."""

    name = "network"

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            return f"needs a network namespace: {machine.isolation_reason}"
        if not machine.online:
            return "this machine has no route to another one"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, network=False)

    def describe(self, environment: Environment) -> str:
        return "the machine's" if environment.network else "off"
