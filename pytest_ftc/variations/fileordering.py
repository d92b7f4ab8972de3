"""The order in which readdir(3) lists the source tree, and the folders that the build makes."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, FileOrder, FileSystem, Isolation, Machine


class FileOrdering:
    """Every folder of the source tree in reverse order.

    Filling a tmpfs in a chosen order does this: it lists the newest entry first; ext4 and similar list by hash.
    Folders that the build makes or changes list by name in the control, and in reverse order where this is varied.
    """

    name = "fileordering"
    mechanism = "tmpfs filled in reversed order; getdents64(2)"

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            return f"needs a tmpfs of its own, so namespaces: {machine.isolation_reason}"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, file_order=FileOrder.REVERSED, filesystem=FileSystem.TMPFS)

    def describe(self, environment: Environment) -> str:
        return environment.file_order.value
