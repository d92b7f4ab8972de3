"""The input of a build's launcher, as JSON: the action, adapted to the facilities of this machine."""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pytest_ftc.builds.compiled_locales import SYSTEM_LOCALES
from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.sockets import identify_sockets
from pytest_ftc.model import Action, Environment, Isolation, KernelName, Machine

_AS_THEY_ARE = (
    "build_path", "home", "temp_dir", "umask", "source_umask", "network", "host", "domain", "cpus", "clock_shift",
    "clock_stop", "first_pid",
)  # fmt: skip
"""Fields of the environment that have the same names in the launcher."""
_PRIVATE = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))


def describe_build(
    action: Action, machine: Machine, folder: Path, log: Path, concealed: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the launcher's input: how to run `action` below `folder`, with its log at `log`.

    It does not see the `concealed` paths, except those that are values of its variables.
    """
    environment = action.environment
    variables = {**_locale_path(machine), "HOME": environment.home, "TMPDIR": environment.temp_dir}
    variables |= environment.variables
    return {
        "argv": action.shell.argv if action.shell else action.command,
        "shell": {"terminal": action.shell.terminal} if action.shell else None,
        "keep": str(action.keep) if action.keep else None,
        "env": variables,
        "clock_env": clock_variables(environment.clock_shift, machine.faketime, variables),
        "snapshot": str(action.snapshot),
        "git_dir": str(action.git_dir) if action.git_dir else None,
        "work": str(folder),
        **{name: getattr(environment, name) for name in _AS_THEY_ARE},
        "timeout": action.timeout,
        "outputs": action.outputs,
        "filesystem": environment.filesystem.value,
        "file_order": environment.file_order.value,
        "mtime_shift": environment.source_mtime_shift,
        "isolation": machine.isolation.value,
        "overlay": machine.overlay,
        "fresh_proc": machine.fresh_proc,
        **_identity(environment),
        "trace": action.trace.value,
        "locales": machine.compiled_locales,
        "personality": _personality(environment),
        **_sockets(action.pass_sockets),
        "visible": _hidden_needs(action, machine.faketime),
        "shown": {path: str(folder) for path, folder in action.shown.items()},
        "concealed": [path for path in concealed if path not in variables.values()],
        "secret_files": {path: base64.b64encode(data).decode() for path, data in action.secret_files.items()},
        "log": str(log),
        "blobs": str(folder / "blobs"),
        "result": str(folder / "result.json"),
    }


def open_in_memory(data: bytes) -> IO[bytes]:
    """Return a file of no name with `data`, in memory where the kernel offers that: variables may hold secrets."""
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("ftc-spec"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115
    file.write(data)
    file.seek(0)
    return file


def _locale_path(machine: Machine) -> dict[str, str]:
    """Return the variable with the path of locales; with namespaces, those compiled for this session are mounted."""
    if not machine.compiled_locales or machine.isolation is not Isolation.NONE:
        return {}
    return {"LOCPATH": f"{machine.compiled_locales}:{SYSTEM_LOCALES}"}


def _sockets(passed: Sequence[str]) -> dict[str, Any]:
    # Without namespaces, builds also share the project in which pytest runs, and the home of this user.
    shared = [str(Path.cwd()), os.environ.get("HOME", "/")]
    return {"shared": shared, "pass_sockets": passed, "passed_sockets": identify_sockets(passed)}


def _identity(environment: Environment) -> dict[str, Any]:
    identity, own = environment.identity, os.geteuid()
    if identity is None:
        return {"own_uid": own, "uid": own, "gid": os.getegid(), "user": "", "group": ""}
    known = {"uid": identity.uid, "gid": identity.gid, "user": identity.user, "group": identity.group}
    return {"own_uid": own, **known}


def _personality(environment: Environment) -> int:
    """Return the flags for personality(2)."""
    fixed = 0 if environment.randomised_addresses else kernel.ADDR_NO_RANDOMIZE
    return fixed | (kernel.UNAME26 if environment.kernel is KernelName.OLD else 0)


def clock_variables(shift: int, faketime: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables with which libfaketime moves the clock `shift` seconds ahead; none for 0.

    File times stay real (NO_FAKE_STAT), because make and similar tools compare them with each other, and timeouts keep
    working (FAKETIME_DONT_FAKE_MONOTONIC); see libfaketime's README.  A program built with AddressSanitizer refuses to
    start after another preloaded library without verify_asan_link_order=0.
    """
    if not shift:
        return {}
    preload = " ".join(filter(None, (faketime, variables.get("LD_PRELOAD"))))
    sanitizer = ":".join(filter(None, (variables.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
    return {
        "LD_PRELOAD": preload,
        "ASAN_OPTIONS": sanitizer,
        "FAKETIME": f"{shift:+d}",
        "NO_FAKE_STAT": "1",
        "FAKE_UTIME": "0",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def _hidden_needs(action: Action, faketime: str) -> list[str]:
    """Return the folders below the hidden temporary folders that the build needs: its tools."""
    entries = [Path(entry) for entry in action.environment.variables.get("PATH", "").split(os.pathsep)]
    needs = [entry.parent if entry.name in ("bin", "sbin", ".bin") else entry for entry in entries]
    needs += [Path(action.command[0]).parent.parent, Path(sys.prefix), Path(sys.base_prefix), Path(faketime).parent]
    # A build may run `ftc normalize`, even if pytest-ftc is installed from a clone below one of them.
    needs.append(Path(__file__).parents[2])
    needs += [action.git_link] if action.git_link else []
    below = [need for need in needs if any(folder in need.parents for folder in _PRIVATE)]
    # Not Path.is_dir, which raises PermissionError below a folder that this user cannot enter.
    hidden = {need for need in below if os.path.isdir(need)}  # noqa: PTH112
    return sorted(str(need) for need in hidden if not hidden.intersection(need.parents))
