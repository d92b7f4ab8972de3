"""The facilities this machine has for varying an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pytest_ftc.model.environment import Identity


class Isolation(str, Enum):
    """How a build is isolated from the machine."""

    USER = "user"
    """User, mount, UTS, IPC and PID namespaces; needs no privilege."""
    ROOT = "root"
    """Mount, UTS, IPC and PID namespaces without a user namespace; needs root."""
    NONE = "none"
    """A copied tree and environment variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The facilities found and, for each missing one, the reason with what the user can do."""

    isolation: Isolation
    isolation_reason: str = ""
    """Why there are no namespaces, when there are none."""
    overlay: bool = False
    """Whether overlayfs can be mounted over the work folder."""
    fresh_proc: bool = True
    """Whether builds in namespaces get a new /proc, and with it a PID namespace; else they see the machine's /proc."""
    fresh_proc_reason: str = ""
    """Why they do not."""
    faketime: str = ""
    """Path of a libfaketime verified to move the clock; empty if there is none."""
    faketime_reason: str = ""
    locales: tuple[str, ...] = ()
    """Locales installed, as ``locale -a`` names them, and those compiled for this session."""
    compiled_locales: str = ""
    """Folder of the latter; empty when there are none."""
    zoneinfo: bool = False
    """Whether the time zone database is installed."""
    work_dir: str = ""
    """Folder below which builds run."""
    work_filesystem: str = ""
    """Its file system type: ``ext4``, ``tmpfs``, ..."""
    cpus: int = 1
    identity: Identity | None = None
    """Who runs this session."""
    online: bool = False
    """Whether there is a route to other machines."""
    personality_reason: str = ""
    """Why personality(2) is refused; empty when it is not."""
    path: tuple[str, ...] = ()
    """The search path for commands, of a worker; empty for that of this session."""
    python: str = ""
    """The Python of a worker; empty for the one that runs this session."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """Variations that a program inside does not see although they were applied, and why."""
