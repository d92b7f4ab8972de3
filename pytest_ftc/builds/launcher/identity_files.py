"""The files that identify a machine and its users, with the contents that a build environment shows."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def describe_machine(spec: dict[str, Any]) -> dict[str, str]:
    """Return path and content of the files that differ from the machine's own in the environment of `spec`."""
    files = {}
    if spec["host"]:
        host, domain = spec["host"], spec["domain"]
        files["/etc/hostname"] = f"{host}\n"
        files["/etc/hosts"] = f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host}.{domain} {host}\n"
        # 32 hexadecimal digits, see machine-id(5).
        files["/etc/machine-id"] = f"{host.encode().hex():0<32.32}\n"
    if spec["user"]:
        user = f"{spec['user']}:x:{spec['uid']}:{spec['gid']}::{spec['home']}:/bin/sh"
        files["/etc/passwd"] = _with_entry("/etc/passwd", user)
        files["/etc/group"] = _with_entry("/etc/group", f"{spec['group']}:x:{spec['gid']}:")
    if spec["cpus"]:
        allowed = sorted(os.sched_getaffinity(0))[: spec["cpus"]]
        files["/sys/devices/system/cpu/online"] = ",".join(map(str, allowed)) + "\n"
    return files


def _with_entry(path: str, entry: str) -> str:
    """Return the lines of `path` with `entry` first, and without others of its name or number, see passwd(5)."""
    name, _, number, *_ = entry.split(":")
    try:
        with open(path, errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        lines = []
    others = [line for line in lines if line.split(":")[0] != name and line.split(":")[2:3] != [number]]
    return "\n".join([entry, *others, ""])
