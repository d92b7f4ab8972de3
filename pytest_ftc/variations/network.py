"""Whether other machines are reachable."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_ftc.model import Environment, Isolation, Machine, parameter

_MODES = ("experiment", "both")


def _read_mode(text: str) -> str:
    if text not in _MODES:
        raise ValueError(text)
    return text


@dataclass(frozen=True, slots=True)
class Network:
    """The machine's network, or only loopback, if the machine has a network.

    In mode "both" no build has network access: nothing varies, and a build that needs it fails.
    """

    name = "network"
    mechanism = "network namespace with loopback alone, and /sys/class/net"
    mode: str = parameter(
        "experiment",
        _read_mode,
        " or ".join(map(repr, _MODES)),
        written="experiment",
        meaning="`experiment`: the experiment is offline, if the control has a network to lose. `both`: every build is "
        "offline; `network` is not varied then, and a build that needs one fails",
    )

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            effect = "no build can be kept offline without" if self.mode == "both" else "needs"
            return f"{effect} a network namespace: {machine.isolation_reason}"
        if not machine.online:
            return "this machine has no route to another one"
        return None

    def settle_control(self, environment: Environment) -> Environment:
        return replace(environment, network=False) if self.mode == "both" else environment

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, network=False)

    def describe(self, environment: Environment) -> str:
        return "the machine's" if environment.network else "off"
