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
    network: bool = True
    """Whether the build may use the machine's network; without it only loopback is there."""

    def with_variables(self, **variables: str) -> Environment:
        """Return a copy in which `variables` are set too."""
        return replace(self, variables={**self.variables, **variables})
