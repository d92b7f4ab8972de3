"""The files that identify a machine and its users, with their contents in a build environment."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ZONES = "/usr/share/zoneinfo"
_SHELLS = ("/bin/sh", "/bin/bash", "/bin/dash", "/bin/false")


def describe_machine(spec: dict[str, Any]) -> dict[str, str]:
    """Return path and content of the files that differ from the machine's in the environment of `spec`."""
    files = {}
    if spec["host"]:
        host, domain = spec["host"], spec["domain"]
        files["/etc/hostname"] = f"{host}\n"
        files["/etc/hosts"] = f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {host}.{domain} {host}\n"
        # 32 hexadecimal digits, see machine-id(5).
        files["/etc/machine-id"] = files["/var/lib/dbus/machine-id"] = f"{host.encode().hex():0<32.32}\n"
    if spec["user"]:
        files["/etc/passwd"] = _with_entry("/etc/passwd", _describe_user(spec))
        files["/etc/group"] = _with_entry("/etc/group", f"{spec['group']}:x:{spec['gid']}:")
    zone = spec["env"].get("TZ", "")
    if os.path.isfile(os.path.join(ZONES, zone)):
        files["/etc/timezone"] = f"{zone}\n"
    return files


def _describe_user(spec: dict[str, Any]) -> str:
    """Return the user's line, see passwd(5): the home is HOME, and a different user also has a different shell."""
    own = _find_entry("/etc/passwd", spec["own_uid"])
    comment, shell = (own[4], own[6]) if own else ("", "/bin/sh")
    if spec["uid"] != spec["own_uid"]:
        comment = spec["user"]
        shell = next((path for path in _SHELLS if path != shell and os.path.exists(path)), shell)
    return f"{spec['user']}:x:{spec['uid']}:{spec['gid']}:{comment}:{spec['home']}:{shell}"


def _find_entry(path: str, number: int) -> list[str]:
    """Return the fields of the user with this number, see passwd(5); none if there is no such user."""
    for line in _read_lines(path):
        fields = line.split(":")
        if len(fields) == 7 and fields[2] == str(number):
            return fields
    return []


def _with_entry(path: str, entry: str) -> str:
    """Return the lines of `path` with `entry` first, without other entries of its name or number, see passwd(5)."""
    name, _, number, *_ = entry.split(":")
    others = [line for line in _read_lines(path) if line.split(":")[0] != name and line.split(":")[2:3] != [number]]
    return "\n".join([entry, *others, ""])


def _read_lines(path: str) -> list[str]:
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read().splitlines()
    except OSError:
        return []
