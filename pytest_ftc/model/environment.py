"""The conditions one build runs in.  Each variation edits only its own field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum


class FileOrder(str, Enum):
    """The order in which ``readdir(3)`` lists the files of the source tree, and of folders that the build makes."""

    NATIVE = "native"
    """In the order of the underlying file system; folders that the build makes or changes by name."""
    REVERSED = "reversed"
    """In reverse order of that."""


class FileSystem(str, Enum):
    """Where the build tree, the home and the temporary folders live."""

    DISK = "disk"
    TMPFS = "tmpfs"


class KernelName(str, Enum):
    """The kernel version that uname(2) reports."""

    NATIVE = "native"
    OLD = "2.6"
    """A number that starts with 2.6, by UNAME26 of personality(2)."""


class Replica(str, Enum):
    """One of the two kinds of workers of a farm that are compared."""

    CONTROL = "control"
    EXPERIMENT = "experiment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The user that a build sees."""

    uid: int
    gid: int
    user: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """All the conditions of one build."""

    build_path: str
    """Absolute path at which the build sees its tree."""
    home: str
    temp_dir: str
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables, except HOME, TMPDIR and those of the clock, which the launcher derives."""
    umask: int = 0o022
    clock_shift: int = 0
    """Seconds by which the clock is ahead of the real one; 0 leaves the clock alone."""
    clock_stop: int = 0
    """The time at which the clock stands still for the whole build, in seconds since 1970; 0 for a clock that runs."""
    file_order: FileOrder = FileOrder.NATIVE
    filesystem: FileSystem = FileSystem.DISK
    source_mtime_shift: int = 0
    """Seconds added to the modification time of every source file."""
    source_umask: int | None = None
    """The umask under which the source files seem to have been checked out; None leaves their modes alone."""
    identity: Identity | None = None
    """Who runs the build; None keeps the current user."""
    host: str = ""
    """Host name; empty keeps the current one."""
    domain: str = ""
    kernel: KernelName = KernelName.NATIVE
    cpus: int = 0
    """CPUs the build may use; 0 for all."""
    randomised_addresses: bool = False
    """Whether address space layout randomization (ASLR) is on."""
    first_pid: int = 0
    """Process id of the build, in a PID namespace; 0 for the first free one."""
    network: bool = True
    """Whether the build may use the machine's network; otherwise it has only loopback."""
    replica: Replica | None = None
    """The kind of worker that it runs on; None if they are all alike."""

    def with_variables(self, **variables: str) -> Environment:
        """Return a copy in which `variables` are also set."""
        return replace(self, variables={**self.variables, **variables})
