"""The name of the machine: host and domain name, /etc/hostname, /etc/hosts, /etc/machine-id."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, Isolation, Machine


class DomainHost:
    """Different names in a UTS namespace, and private copies of these files that agree with them."""

    name = "domain_host"
    mechanism = "UTS namespace, bind-mounted /etc/hostname, hosts and machine-id"

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            return f"needs a UTS namespace: {machine.isolation_reason}"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, host=f"host-{token}", domain=f"domain-{token}.invalid")

    def describe(self, environment: Environment) -> str:
        return f"{environment.host}.{environment.domain}" if environment.host else "as the machine"
