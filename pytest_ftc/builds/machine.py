"""Detecting this machine's facilities by trying them."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from pytest_ftc.builds.compiled_locales import SYSTEM_LOCALES, compile_locales
from pytest_ftc.builds.launcher.root import NO_NEW_PROC
from pytest_ftc.builds.launcher.trees import remove_tree
from pytest_ftc.builds.launching.spec import clock_variables
from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.survey.allow import with_remedies
from pytest_ftc.builds.workspace import filesystem_type
from pytest_ftc.model import Action, BuildStatus, Environment, Identity, Isolation, Machine, Role
from pytest_ftc.model.machine import ZONES

_SHIFT = 398 * 86400


def survey_machine(work: Path, libraries: Sequence[Path] = (), *, overlay: bool = True) -> Machine:
    """Return the facilities of this machine for builds below the folder `work`.

    `libraries` are further copies of libfaketime to try, for a machine that has none.  Without `overlay`,
    overlayfs is not tried and not offered.
    """
    # Each waits for programs.
    with ThreadPoolExecutor(3) as pool:
        clock, locales = pool.submit(_find_faketime, libraries), pool.submit(list_locales)
        personality = pool.submit(_try_personality)
    faketime, faketime_reason = clock.result()
    machine = Machine(
        isolation=Isolation.NONE,
        faketime=faketime,
        faketime_reason=faketime_reason,
        locales=locales.result(),
        # A zone that is missing would be read as UTC.
        zoneinfo=all(Path("/usr/share/zoneinfo", zone).is_file() for zone in ZONES),
        work_dir=str(work),
        work_filesystem=filesystem_type(work),
        identity=_find_identity(),
        online=_has_route(),
        personality_reason=personality.result(),
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )
    isolated = _find_isolation(machine, work, (True, False) if overlay else (False,))
    return with_remedies(_with_compiled_locales(isolated, work))


def _with_compiled_locales(machine: Machine, work: Path) -> Machine:
    """Return `machine` with the locales that could be compiled for it."""
    if machine.isolation is Isolation.NONE and Path(SYSTEM_LOCALES, "locale-archive").exists():
        # Without a mount namespace they would need LOCPATH, which hides the locale archive, see locale(7).
        return machine
    folder = work / "locales"
    compiled = compile_locales(folder, machine.locales)
    if not compiled:
        return machine
    return replace(machine, locales=(*machine.locales, *compiled), compiled_locales=str(folder))


def _find_isolation(machine: Machine, work: Path, overlays: Sequence[bool]) -> Machine:
    if sys.platform != "linux":
        return replace(machine, isolation_reason=f"{platform.system()} has no namespaces")
    candidates = [
        replace(machine, isolation=isolation)
        for isolation in (Isolation.USER, *([Isolation.ROOT] if os.geteuid() == 0 else []))
    ]
    reason = ""
    while candidates:
        candidate, *candidates = candidates
        for overlay in overlays:
            found = replace(candidate, overlay=overlay)
            failure = _try(found, work)
            if not failure:
                return found
            if NO_NEW_PROC in failure and not reason:
                # The last resort, because without a PID namespace builds see and may kill this user's processes.
                candidates.append(replace(candidate, fresh_proc=False, fresh_proc_reason=NO_NEW_PROC))
            reason = reason or failure
    return replace(machine, isolation_reason=reason)


def _try(machine: Machine, work: Path) -> str:
    """Run a trivial build with all detected facilities of the machine; return why it failed, or an empty text."""
    folder = work / "survey"
    (folder / "source").mkdir(parents=True)
    try:
        executor = LocalExecutor(machine, folder / "work", folder, jobs=1)
        environment = Environment(
            build_path="/ftc-survey/tree",
            home="/ftc-survey-home",
            temp_dir="/tmp",
            variables={"PATH": os.defpath},
            network=False,
        )
        action = Action(
            id="survey",
            role=Role.CONTROL,
            command=("/bin/sh", "-c", "echo > seen"),
            snapshot=folder / "source",
            environment=environment,
            described={},
            outputs=("seen",),
            timeout=30,
        )
        result = executor.run(action, lambda _: None)
    finally:
        remove_tree(str(folder))
    return "" if result.status is BuildStatus.OK else result.reason


def _find_faketime(more: Sequence[Path]) -> tuple[str, str]:
    """Return the path of a libfaketime that works here, and the reason if there is none."""
    if sys.platform != "linux":
        return "", "libfaketime is used only on Linux"
    advice = "install Debian's libfaketime, or the PyPI package on x86-64"
    problems = []
    for candidate in filter(Path.is_file, (*faketime_candidates(), *more)):
        problem = _find_fault(candidate)
        if not problem:
            return str(candidate), ""
        problems.append(f"{candidate} {problem}")
    return "", f"{'; '.join(problems) or 'no libfaketime found'}; {advice}"


def faketime_candidates() -> Iterator[Path]:
    """Yield the paths at which a libfaketime of this machine may be."""
    for folder in ("/usr/lib", "/usr/lib64", "/usr/local/lib"):
        yield from sorted(Path(folder).glob("faketime/libfaketime.so.1"))
        yield from sorted(Path(folder).glob("*/faketime/libfaketime.so.1"))
    package = find_spec("libfaketime")
    if package and package.origin:
        yield Path(package.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"


# Waits until a time in the past, as sleep() of Python 3.11 does: some versions of libfaketime fail then.
_TRY_CLOCK = """
import ctypes, struct, time
monotonic, until = 1, 1
code = ctypes.CDLL(None).clock_nanosleep(monotonic, until, struct.pack("qq", 0, 1), None)
print(int(time.time()), code)
"""


def _find_fault(library: Path) -> str:
    """Return why `library` cannot be used to move the clock; empty if it can."""
    environment = {"PATH": os.defpath, **clock_variables(_SHIFT, str(library), {})}
    command = [sys.executable, "-I", "-S", "-c", _TRY_CLOCK]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
        seen, code = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return "does not work here"
    if abs(seen - time.time() - _SHIFT) >= 60:
        return "does not move the clock"
    return f"breaks clock_nanosleep(2): {os.strerror(code)}" if code else ""


def list_locales() -> tuple[str, ...]:
    """Return the installed locales, as ``locale -a`` names them."""
    try:
        listed = subprocess.run(["locale", "-a"], capture_output=True, stdin=subprocess.DEVNULL, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ("C",)
    return tuple(listed.decode(errors="replace").split())


def _find_identity() -> Identity:
    import grp
    import pwd

    uid, gid = os.geteuid(), os.getegid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"user{uid}"
    try:
        group = grp.getgrgid(gid).gr_name
    except KeyError:
        group = f"group{gid}"
    return Identity(uid=uid, gid=gid, user=user, group=group)


def _has_route() -> bool:
    """Return whether a default route exists, see the formats of /proc/net/route and /proc/net/ipv6_route."""
    with contextlib.suppress(OSError), open("/proc/net/route") as routes:
        if any(line.split()[1] == "00000000" for line in list(routes)[1:]):
            return True
    with contextlib.suppress(OSError), open("/proc/net/ipv6_route") as routes:
        return any(line.startswith("0" * 32 + " 00") and line.split()[-1] != "lo" for line in routes)
    return False


def _try_personality() -> str:
    """Return why a child process may not change its execution domain; empty if it may."""
    if sys.platform != "linux":
        return f"{platform.system()} has no personality(2)"
    code = "import ctypes, sys; sys.exit(ctypes.CDLL(None).personality(ctypes.c_ulong(0x0060000)) == -1)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], stdin=subprocess.DEVNULL, capture_output=True)
    return "" if done.returncode == 0 else "personality(2) is refused here (a container's seccomp profile)"
