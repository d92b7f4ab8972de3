"""Address space layout randomization, see ADDR_NO_RANDOMIZE in personality(2)."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Machine


class Aslr:
    """Fixed addresses in the control, random ones in the experiment: a leak disappears if this is not varied."""

    name = "aslr"
    mechanism = "personality(2): ADDR_NO_RANDOMIZE"

    def unavailable(self, machine: Machine) -> str | None:
        return machine.personality_reason or None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, randomised_addresses=True)

    def describe(self, environment: Environment) -> str:
        return "random" if environment.randomised_addresses else "fixed"
