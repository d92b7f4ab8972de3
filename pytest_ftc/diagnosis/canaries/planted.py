"""The values planted by the environment of a build, which identify its variations."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_ftc.model import BuildResult, Environment, FileOrder, FileSystem, Isolation, KernelName, Machine
from pytest_ftc.model.build_inputs import Host

_PROCESSES = 6000
"""Most process IDs that are searched for; later processes of a build are ignored."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time, in seconds since 1970."""

    start: float
    end: float

    def moved(self, seconds: float) -> Window:
        """Return the window `seconds` later."""
        return Window(self.start + seconds, self.end + seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """The values that one build could see in its environment; unknown ones are empty or None."""

    build_path: str
    home: str
    temp_dir: str
    variables: Mapping[str, str] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    """The variations that set environment variables, by name."""
    umask: int
    source_umask: int | None = None
    """The umask with which the sources seem to have been checked out; None if their modes are those of the project."""
    uid: int | None = None
    gid: int | None = None
    user: str = ""
    group: str = ""
    host: str = ""
    domain: str = ""
    machine_id: str = ""
    """32 hexadecimal digits, see machine-id(5)."""
    release: str = ""
    """The kernel's release, as ``uname -r`` prints it."""
    cpu: str = ""
    """The model of the CPU of a farm's worker."""
    cpus: int = 0
    """CPUs that the build may use; 0 if unknown."""
    randomised_addresses: bool = False
    pids: tuple[int, int] | None = None
    """The lowest and the highest number that its processes are likely to have."""
    clock: Window
    """From the start to the end of the build by its own clock."""
    real: Window
    """From the start to the end of the build by the real clock."""
    source_times: Window | None = None
    """The range of the modification times of the sources, as the build sees them."""
    source_mtime_shift: int = 0
    """Seconds by which these were shifted."""
    utc_offset: int = 0
    """Seconds by which local time is ahead of UTC."""
    file_order: FileOrder = FileOrder.NATIVE
    filesystem: FileSystem = FileSystem.DISK
    network: bool = True

    @property
    def locale(self) -> str:
        """The active locale, see locale(7)."""
        return next((self.variables[name] for name in ("LC_ALL", "LANG") if self.variables.get(name)), "C")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all builds of an artifact have in common."""

    machine: Machine
    source_times: Window | None = None
    """The earliest and the latest modification time in the snapshot."""
    release: str = ""
    """The kernel's release, as uname(2) returns it outside of builds."""
    cpu: str = ""
    """The model of the CPU, as proc_cpuinfo(5) names it; empty for that of this machine, which all builds share."""
    owners: Mapping[str, str] = field(default_factory=dict)
    """The variations that set environment variables, by name, if they are not the usual ones."""


def planted_by(environment: Environment, result: BuildResult, around: Surroundings) -> Planted:
    """Return what `environment` planted in the build with this `result`."""
    real = Window(result.started, result.started + result.seconds)
    clock = real.moved(environment.clock_shift)
    shift = environment.source_mtime_shift
    planted = Planted(
        build_path=environment.build_path,
        home=environment.home,
        temp_dir=environment.temp_dir,
        variables=environment.variables,
        owners=around.owners,
        umask=environment.umask,
        source_umask=environment.source_umask,
        cpus=environment.cpus or around.machine.cpus,
        randomised_addresses=environment.randomised_addresses,
        clock=clock,
        real=real,
        source_times=around.source_times.moved(shift) if around.source_times else None,
        source_mtime_shift=shift,
        utc_offset=utc_offset(environment.variables.get("TZ", ""), clock.start),
        file_order=environment.file_order,
        filesystem=environment.filesystem,
        network=environment.network,
    )
    return _with_names(planted, environment, _move(around, result.host))


def _move(around: Surroundings, host: Host | None) -> Surroundings:
    """Return `around` for a build on the machine `host` of a farm."""
    if host is None:
        return around
    release, model = (text.partition(" ")[2] for text in (host.kernel, host.cpu))
    return replace(around, release=release.partition(" ")[0], cpu=model)


def _with_names(planted: Planted, environment: Environment, around: Surroundings) -> Planted:
    """Return `planted` with the user, the host, the kernel and the process IDs."""
    identity = environment.identity or around.machine.identity
    isolated = around.machine.isolation is not Isolation.NONE
    host = environment.host if isolated else ""
    first = environment.first_pid or 1
    return replace(
        planted,
        uid=identity.uid if identity else None,
        gid=identity.gid if identity else None,
        user=identity.user if identity else "",
        group=identity.group if identity else "",
        host=host,
        domain=environment.domain if isolated else "",
        # As the launcher writes it: see describe_machine.
        machine_id=f"{host.encode().hex():0<32.32}" if host else "",
        release=_as_old(around.release) if environment.kernel is KernelName.OLD else around.release,
        cpu=around.cpu,
        pids=(first, first + _PROCESSES) if isolated and around.machine.fresh_proc else None,
    )


def utc_offset(zone: str, moment: float) -> int:
    """Return the seconds by which `zone`, a value of TZ, is ahead of UTC at `moment`; 0 if unknown."""
    posix = re.fullmatch(r"(?:<[^>]+>|[A-Za-z]{3,})([+-]?)(\d{1,2})(?::(\d\d))?", zone)
    if posix:
        # The opposite sign of ISO 8601: what must be added to local time, see tzset(3).
        size = int(posix[2]) * 3600 + int(posix[3] or 0) * 60
        return size if posix[1] == "-" else -size
    try:
        when = datetime.datetime.fromtimestamp(moment, zoneinfo.ZoneInfo(zone or "UTC"))
        return int((when.utcoffset() or datetime.timedelta()).total_seconds())
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return 0


def _as_old(release: str) -> str:
    """Return `release` under UNAME26 of personality(2): override_release() in the kernel's kernel/sys.c."""
    match = re.fullmatch(r"\d+\.(\d+)(?:\.\d+)?(.*)", release, re.DOTALL)
    return f"2.6.{int(match[1]) + 60}{match[2]}" if match else ""
