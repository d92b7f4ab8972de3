"""Process ids."""

from __future__ import annotations

import zlib
from dataclasses import replace

from pytest_ftc.model import Environment, Isolation, Machine

_LOWEST, _SPAN = 10_000, 20_000
"""Below the smallest pid_max, 32768, with room for the processes of a build."""


class Pid:
    """A PID namespace that counts from 1, or one that counts from a higher number."""

    name = "pid"
    mechanism = "ns_last_pid of a PID namespace"

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            return f"needs a PID namespace: {machine.isolation_reason}"
        if not machine.fresh_proc:
            return f"needs a PID namespace, and that a /proc of its own: {machine.fresh_proc_reason}"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, first_pid=_LOWEST + zlib.crc32(token.encode()) % _SPAN)

    def describe(self, environment: Environment) -> str:
        return f"from {environment.first_pid}" if environment.first_pid else "from the bottom"
