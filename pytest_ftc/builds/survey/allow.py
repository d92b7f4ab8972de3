"""What allows a machine to vary what it does not: a command or a setting, for the kind of machine that it is."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_ftc.model import Isolation, Machine
from pytest_ftc.model.machine import AS_ROOT, ONLY_C_LOCALE

_DOCKER = (
    "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined ..."
)
_PODMAN = "podman run --security-opt seccomp=unconfined --security-opt unmask=ALL ..."
_KUBERNETES = (
    "in the securityContext of the pod's container: seccompProfile: {type: Unconfined}, "
    "appArmorProfile: {type: Unconfined}, procMount: Unmasked (with hostUsers: false)"
)
_CONTAINERS = {"docker": _DOCKER, "podman": _PODMAN, "kubernetes": _KUBERNETES}
_MOST = "user.max_user_namespaces"
_CLONE = "kernel.unprivileged_userns_clone"
_APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"
_SYSCTLS = {
    _MOST: ("0", f"sudo sysctl -w {_MOST}=15000"),
    _CLONE: ("0", f"sudo sysctl -w {_CLONE}=1"),
}
"""Settings of the kernel that forbid namespaces, with the value that does and the command that allows them."""
_LIFT_APPARMOR = (
    f"sudo sysctl -w {_APPARMOR}=0, as Ubuntu 24.04 needs it, or an AppArmor profile for this Python alone "
    '("What a machine must allow" in the documentation has it)'
)
_INSTALLERS = {
    "debian": ("sudo apt-get install", {"locales": "locales-all", "faketime": "libfaketime"}),
    "fedora": ("sudo dnf install", {"locales": "glibc-all-langpacks", "faketime": "libfaketime"}),
    "arch": ("sudo pacman -S", {"faketime": "libfaketime"}),
    "alpine": ("sudo apk add", {"faketime": "libfaketime"}),
}
"""How a family of Linux distributions installs packages, and what they are called there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What of a machine says how it can be made to allow more."""

    container: str = ""
    """``docker``, ``podman`` or ``kubernetes``; empty outside of them."""
    sysctls: Mapping[str, str] = field(default_factory=dict)
    distribution: tuple[str, ...] = ()
    """Its name and those of which it is a variant, as os-release(5) says."""


def with_remedies(machine: Machine) -> Machine:
    """Return `machine` with what would allow what it does not."""
    return replace(machine, allow=dict(find_remedies(machine, look_around())) if sys.platform == "linux" else {})


def find_remedies(machine: Machine, around: Surroundings) -> Iterator[tuple[str, str]]:
    """Yield reasons why variations are not applied on `machine`, each with what allows them in the place `around`."""
    namespaces = _allow_namespaces(around)
    if machine.isolation is Isolation.NONE and machine.isolation_reason and namespaces:
        yield machine.isolation_reason, namespaces
    if machine.isolation is Isolation.ROOT and namespaces:
        yield AS_ROOT, namespaces
    container = _CONTAINERS.get(around.container, "")
    for reason in (machine.fresh_proc_reason, machine.personality_reason):
        if reason and container:
            yield reason, container
    for reason, package in ((machine.faketime_reason, "faketime"), (ONLY_C_LOCALE, "locales")):
        if reason and (command := _install(package, around)):
            yield reason, command


def _allow_namespaces(around: Surroundings) -> str:
    where = "on the host: " if around.container else ""
    for name, (value, command) in _SYSCTLS.items():
        if around.sysctls.get(name) == value:
            return where + command
    if around.container:
        return _CONTAINERS[around.container]
    return _LIFT_APPARMOR if around.sysctls.get(_APPARMOR) == "1" else ""


def _install(package: str, around: Surroundings) -> str:
    for family in around.distribution:
        command, names = _INSTALLERS.get(family, ("", {}))
        if package in names:
            return f"{command} {names[package]}"
    return ""


def look_around(root: str = "/", environ: Mapping[str, str] = os.environ) -> Surroundings:
    """Return the surroundings of this machine, whose files are below `root`."""
    names = {name: Path(root, "proc/sys", *name.split(".")) for name in (*_SYSCTLS, _APPARMOR)}
    found = {name: text for name, path in names.items() if (text := _read(path).strip())}
    return Surroundings(container=_find_container(root, environ), sysctls=found, distribution=_find_distribution(root))


def _find_container(root: str, environ: Mapping[str, str]) -> str:
    """Return the kind of container, by the files that the engines put into one."""
    if "KUBERNETES_SERVICE_HOST" in environ:
        return "kubernetes"
    if Path(root, "run/.containerenv").exists():
        return "podman"
    return "docker" if Path(root, ".dockerenv").exists() else ""


def _find_distribution(root: str) -> tuple[str, ...]:
    """Return ID and ID_LIKE of os-release(5)."""
    lines = (line.partition("=") for line in _read(Path(root, "etc/os-release")).splitlines())
    values = {name: value.strip("\"' ") for name, _, value in lines}
    return (*values.get("ID", "").split(), *values.get("ID_LIKE", "").split())


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(errors="replace")[:10_000]
    return ""
