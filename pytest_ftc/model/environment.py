"""The conditions one build runs in.  A variation edits its own field and no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum


class FileOrder(str, Enum):
    """The order in which ``readdir(3)`` lists the files of the source tree."""

    NATIVE = "native"
    """As the file system below the snapshot lists them."""
    REVERSED = "reversed"
    """Every folder the other way round."""


class FileSystem(str, Enum):
    """Where the build tree, the home and the temporary folders live."""

    DISK = "disk"
    TMPFS = "tmpfs"


class KernelName(str, Enum):
    """What uname(2) says of the kernel's version."""

    NATIVE = "native"
    OLD = "2.6"
    """A number that starts with 2.6, by UNAME26 of personality(2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A user, as a build sees it."""

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
    """Environment variables, but for HOME, TMPDIR and those of the clock, which the launcher derives."""
    umask: int = 0o022
    clock_shift: int = 0
    """Seconds by which the clock is ahead of the real one; 0 leaves the clock alone."""
    file_order: FileOrder = FileOrder.NATIVE
    filesystem: FileSystem = FileSystem.DISK
    source_mtime_shift: int = 0
    """Seconds added to the modification time of every source file."""
    identity: Identity | None = None
    """Who runs the build; None leaves the user as it is."""
    host: str = ""
    """Host name; empty leaves it as it is."""
    domain: str = ""
    kernel: KernelName = KernelName.NATIVE
    cpus: int = 0
    """CPUs the build may use; 0 for all."""
    randomised_addresses: bool = False
    """Whether the kernel lays out memory at random (ASLR)."""
    first_pid: int = 0
    """Process id of the build, in a PID namespace; 0 for the first free one."""
    network: bool = True
    """Whether the build may use the machine's network; without it only loopback is there."""

    def with_variables(self, **variables: str) -> Environment:
        """Return a copy in which `variables` are set too."""
        return replace(self, variables={**self.variables, **variables})
