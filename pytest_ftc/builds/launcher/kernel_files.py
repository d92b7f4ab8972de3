"""The files in which the kernel describes itself, the processors and the network, as shown in a build environment."""

from __future__ import annotations

import os
import re
import time

from pytest_ftc.builds.launcher import kernel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Spec = dict[str, Any]

_CPUS = "/sys/devices/system/cpu"
_NODES = "/sys/devices/system/node"
_NETWORK = ("/sys/class/net", "/sys/devices/virtual/net")
UPTIME = 9 * 86400 + 5 * 3600 + 17 * 60
"""Seconds to add to the uptime if the clock is moved."""
_CPU = re.compile(r"cpu([0-9]+)")


def describe_kernel(spec: Spec) -> dict[str, str]:
    """Return path and content of the kernel's files that differ from the machine's in the environment of `spec`."""
    files = {}
    if spec["personality"] & kernel.UNAME26:
        files.update(_describe_release())
    stat = _read("/proc/stat")
    if spec["cpus"]:
        files.update(_describe_processors(_allowed(spec)))
        stat = limit_stat(stat, _allowed(spec))
    if spec["clock_shift"]:
        uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
        if not spec["moved_uptime"]:
            uptime += UPTIME
            files["/proc/uptime"] = f"{uptime:.2f} {uptime:.2f}\n"
        began = int(time.time() + spec["clock_shift"] - uptime)
        stat = re.sub(r"^btime [0-9]+$", f"btime {began}", stat, flags=re.MULTILINE)
    if spec["cpus"] or spec["clock_shift"]:
        files["/proc/stat"] = stat
    return {path: text for path, text in files.items() if text}


def _describe_release() -> dict[str, str]:
    release = os.uname().release
    try:
        old = kernel.read_old_release()
    except OSError:
        return {}  # a seccomp profile refuses personality(2), so the kernel's release is not varied
    return {
        "/proc/version": _read("/proc/version").replace(release, old),
        "/proc/sys/kernel/osrelease": f"{old}\n",
    }


def _describe_processors(allowed: list[int]) -> dict[str, str]:
    count = _list_ids(allowed)
    files = {"/proc/cpuinfo": limit_cpuinfo(_read("/proc/cpuinfo"), allowed)}
    for name in ("online", "present", "possible"):
        files[f"{_CPUS}/{name}"] = count
    for node in _list(_NODES):
        own = [number for number in allowed if number in _parse_ids(_read(f"{_NODES}/{node}/cpulist"))]
        files[f"{_NODES}/{node}/cpulist"] = _list_ids(own)
        files[f"{_NODES}/{node}/cpumap"] = _make_mask(own, _read(f"{_NODES}/{node}/cpumap"))
    return files


def limit_cpuinfo(text: str, allowed: list[int]) -> str:
    """Return the paragraphs of the `allowed` processors, and those of no processor, see proc_cpuinfo(5)."""
    kept = []
    for paragraph in text.split("\n\n"):
        number = re.match(r"processor\s*:\s*([0-9]+)", paragraph)
        if number is None or int(number[1]) in allowed:
            kept.append(paragraph)
    return "\n\n".join(kept)


def limit_stat(text: str, allowed: list[int]) -> str:
    """Return /proc/stat without the lines of processors that are not `allowed`, see proc_stat(5)."""
    lines = []
    for line in text.splitlines(keepends=True):
        number = _CPU.match(line)
        if number is None or int(number[1]) in allowed:
            lines.append(line)
    return "".join(lines)


def show_parts(spec: Spec, scratch: str, new_root: str) -> None:
    """Hide processors and network interfaces that the environment does not have from folders of the kernel."""
    if spec["cpus"]:
        allowed = {f"cpu{number}" for number in _allowed(spec)}
        for folder in (_CPUS, *(f"{_NODES}/{name}" for name in _list(_NODES) if name.startswith("node"))):
            hidden = {name for name in _list(folder) if _CPU.fullmatch(name) and name not in allowed}
            _show_without(folder, hidden, scratch, new_root)
    if not spec["network"]:
        for folder in _NETWORK:
            _show_without(folder, set(_list(folder)) - {"lo"}, scratch, new_root)


def _show_without(folder: str, hidden: set[str], scratch: str, new_root: str) -> None:
    """Hide the entries `hidden` of `folder`: mount a folder with the other entries over it."""
    if not hidden:
        return
    own = os.path.join(scratch, folder.replace("/", "-"))
    os.mkdir(own)
    # The folder of a node has a link to each of hundreds of blocks of memory: no further call tells what each entry is.
    with os.scandir(folder) as entries:
        kept = [entry for entry in entries if entry.name not in hidden]
    for entry in kept:
        target = os.path.join(own, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), target)
        elif entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    shown = new_root + folder
    # Bind the entries before the new folder hides them.
    kernel.bind(own, shown)
    for entry in kept:
        if not entry.is_symlink():
            kernel.bind(entry.path, os.path.join(shown, entry.name))
    kernel.make_read_only(shown)


def _allowed(spec: Spec) -> list[int]:
    return sorted(os.sched_getaffinity(0))[: spec["cpus"]]


def _list_ids(numbers: list[int]) -> str:
    return ",".join(map(str, numbers)) + "\n"


def _parse_ids(text: str) -> set[int]:
    """Return the numbers of a list such as ``0-3,8``, see "Formats for lists" in cpuset(7)."""
    numbers: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers.update(range(int(first), int(last or first) + 1))
    return numbers


def _make_mask(numbers: list[int], text: str) -> str:
    """Return a mask of `numbers` in the form of the mask `text`: groups of 8 digits, see cpuset(7)."""
    groups = [len(group) for group in text.strip().split(",")]
    digits = f"{sum(1 << number for number in numbers):0{sum(groups)}x}"
    starts = [sum(groups[:index]) for index in range(len(groups))]
    return ",".join(digits[start : start + size] for start, size in zip(starts, groups, strict=True)) + "\n"


def _list(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        with open(path, errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""
