"""The version of the kernel, as uname(2) reports it."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, KernelName, Machine


class Kernel:
    """The real release, or one that starts with 2.6: all that personality(2) lets a process change.

    The kernel itself, its name and its build date do not change.
    """

    name = "kernel"
    mechanism = "personality(2): UNAME26, with namespaces /proc/version and /proc/sys/kernel/osrelease too"

    def unavailable(self, machine: Machine) -> str | None:
        return machine.personality_reason or None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, kernel=KernelName.OLD)

    def describe(self, environment: Environment) -> str:
        return environment.kernel.value
