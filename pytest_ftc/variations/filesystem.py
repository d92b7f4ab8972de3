"""The type of the file system on which the build works."""

from __future__ import annotations

from dataclasses import replace

from pytest_ftc.model import Environment, FileSystem, Isolation, Machine


class FileSystemType:
    """Disk or memory (tmpfs): inode numbers, folder sizes and the order of new entries differ."""

    name = "filesystem"
    mechanism = "tmpfs instead of the disk"

    def unavailable(self, machine: Machine) -> str | None:
        if machine.isolation is Isolation.NONE:
            return f"needs a tmpfs of its own, so namespaces: {machine.isolation_reason}"
        if machine.work_filesystem == "tmpfs":
            return f"{machine.work_dir} is a tmpfs already; set TMPDIR to a folder on a disk"
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return replace(environment, filesystem=FileSystem.TMPFS)

    def describe(self, environment: Environment) -> str:
        return environment.filesystem.value
