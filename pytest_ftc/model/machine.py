"""The facilities that a machine has for varying an environment, and its Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pytest_ftc.model.environment import Identity

ZONES = {
    "Pacific/Kiritimati": "FTC-14",
    "America/St_Johns": "FTC3:30",
    "Asia/Kathmandu": "FTC-5:45",
    "Pacific/Pago_Pago": "FTC11",
    "Australia/Eucla": "FTC-8:45",
    "America/New_York": "FTC5",
}
"""Time zones in which builds run, each with its POSIX notation, which needs no database, see tzset(3)."""


class Isolation(str, Enum):
    """How a build is isolated from the machine."""

    USER = "user"
    """User, mount, UTS, IPC and PID namespaces; needs no privilege."""
    ROOT = "root"
    """Mount, UTS, IPC and PID namespaces without a user namespace; needs root."""
    NONE = "none"
    """A copied tree and environment variables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """One Python."""

    path: str
    """Its program; that of a virtual environment is the one from which it was made."""
    implementation: str
    """``CPython``."""
    version: str
    """``3.11.2``."""
    abi: str
    """The suffix of its extension modules, which names its ABI and the kind of machine."""
    libc: str = ""
    """The C library and its version, as confstr(3) says: ``glibc 2.36``; empty for one that does not."""

    @property
    def name(self) -> str:
        """What people call it: ``CPython 3.11.2``."""
        return f"{self.implementation} {self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What packages that were installed for one Python need of another one that shall import them."""

    implementation: str
    series: str
    """``3.11``: which requirements apply, and which bytecode is valid, depends on it."""
    abi: str = ""
    """The suffix of its extension modules; empty if no file is compiled for a machine."""
    libc: str = ""
    """The newest version of the C library whose symbols such files use: ``glibc 2.17``; empty if there is none."""

    def find_misfit(self, python: Interpreter) -> str:
        """Return why `python` cannot use the packages: what they are for, and what it is; empty if it can."""
        if (self.implementation, self.series) != (python.implementation, _series(python.version)):
            return f"they are installed for {self.implementation} {self.series}, and not for {python.name}"
        if self.abi and self.abi != python.abi:
            return f"they have compiled files for {self.abi}, and its extension modules end with {python.abi}"
        if self.libc and not _provides(python.libc, self.libc):
            return f"they have compiled files that need {self.libc}, and it has {python.libc or 'another C library'}"
        return ""


def _series(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _provides(libc: str, needed: str) -> bool:
    return libc.split()[:1] == needed.split()[:1] and _numbers(libc) >= _numbers(needed)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall("[0-9]+", text)]


AS_ROOT = "the builds run as root without one"
"""Why there is no user namespace where other namespaces could be made as root."""
ONLY_C_LOCALE = "only the C locale is installed"
"""Why the locale is not varied on a machine without others."""


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
    """Whether the time zone database is installed, with all `ZONES`."""
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
    interpreter: Interpreter | None = None
    """The facts about it; None for the one that runs this session."""
    allow: Mapping[str, str] = field(default_factory=dict)
    """What would allow a facility that is missing: a command or a setting, by the reason why it is."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """Variations that a program inside does not see although they were applied, and why."""

    def find_permission(self, reason: str) -> str:
        """Return what would allow what is missing for this `reason`; empty if that is not known."""
        return next((command for why, command in self.allow.items() if why in reason), "")
