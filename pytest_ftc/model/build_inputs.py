"""The inputs of an artifact's builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The machine that built; what is unknown is empty."""

    kernel: str = ""
    """System, release and version."""
    image: str = ""
    """The operating system's name, version and build, from os-release(5)."""
    cpu: str = ""
    """The architecture and the model of the first CPU."""
    machine: str = ""
    """A digest that only this machine has, or containers that were given its id."""
    boot: str = ""
    """A digest that only the running kernel has: containers on one kernel share it."""

    @property
    def facts(self) -> Mapping[str, str]:
        """What of it may decide what a build makes, by its name for a person."""
        return {"kernel": self.kernel, "operating system": self.image, "CPU": self.cpu}

    def differing(self, other: Host) -> Mapping[str, str]:
        """Return those facts that differ from the `other`'s, with both values."""
        theirs = other.facts
        return {
            name: f"{mine or 'unknown'}, and {theirs[name] or 'unknown'}"
            for name, mine in self.facts.items()
            if mine != theirs[name]
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInputs:
    """The known inputs that determine the outputs of an artifact; provenance lists them."""

    source: str
    """Digest of the source tree, ``sha256/size`` of its root Directory (Remote Execution API v2)."""
    commit: str = ""
    """The git commit of the sources; empty outside a repository."""
    dirty: bool = False
    """Whether the sources differ from that commit."""
    command: tuple[str, ...] = ()
    """The argv of the build; empty for a Python callable or a test."""
    before: str = ""
    after: str = ""
    outputs: tuple[str, ...] = ()
    preset: str = ""
    source_date_epoch: str = "unset"
    """Seconds since 1970, or ``unset``."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that the configuration sets, without secrets and variables passed through."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the programs that the build names, and of package databases, by path."""
    distributions: Mapping[str, str] = field(default_factory=dict)
    """Versions of the installed Python distributions, by name."""
    lock_files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the files of the sources that declare dependencies, by path."""
    requirements: str = ""
    """sha256 of the installed build requirements; empty when there are none."""
    platform: tuple[str, ...] = ()
    """System, machine, C library and Python."""
    host: Host = field(default_factory=Host)
