"""Reports what programs see in a build environment.  Runs as a separate build and writes seen.json.

Each key is the name of a variation, with the value that a program sees; the domain and all variables are added.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import subprocess
import sys
import tempfile
import time


def look() -> dict[str, object]:
    """Return the observed values, by the name of the variation."""
    environ = os.environ
    umask = os.umask(0)
    os.umask(umask)
    return {
        "time": [int(time.time()), _time_without_variables()],
        "timezone": time.strftime("%Z %z"),
        "locales": environ.get("LC_ALL"),
        "build_path": os.getcwd(),
        "home": os.path.expanduser("~"),
        "temp_dir": tempfile.gettempdir(),
        "exec_path": environ.get("PATH"),
        "environment": [environ.get("FTC_CANARY"), environ.get("FTC_CANARY_EXTRA")],
        "terminal": [environ.get(name) for name in ("TERM", "COLUMNS", "LINES")],
        "umask": umask,
        "user_group": [os.getuid(), os.getgid(), _user_name()],
        "domain_host": platform.node(),
        "domain": _domain(),
        "kernel": platform.release(),
        "num_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "aslr": _personality(),
        "pid": os.getpid(),
        "fileordering": [name for name in os.listdir(".") if name.startswith("file-")],
        "source_mtime": int(os.stat("file-a").st_mtime),
        "source_mode": os.stat("file-a").st_mode & 0o777,
        "filesystem": _filesystem(),
        "hash_seed": hash("ftc"),
        "network": _interfaces(),
        "variables": dict(environ),
    }


def _time_without_variables() -> int:
    """Return the time as seen by a program with an empty environment, without LD_PRELOAD."""
    command = [sys.executable, "-I", "-S", "-c", "import time; print(int(time.time()))"]
    return int(subprocess.run(command, env={}, stdout=subprocess.PIPE, check=True).stdout)


def _user_name() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""


def _domain() -> str:
    try:
        with open("/proc/sys/kernel/domainname") as file:
            return file.read().strip()
    except OSError:
        return ""


def _personality() -> int | None:
    if sys.platform != "linux":
        return None
    address_no_randomize, ask = 0x0040000, 0xFFFFFFFF
    return int(ctypes.CDLL(None).personality(ctypes.c_ulong(ask))) & address_no_randomize


def _filesystem() -> str:
    """Return the type of the innermost mount that holds the tree, see proc_pid_mountinfo(5)."""
    here, found = os.getcwd(), ""
    try:
        with open("/proc/self/mountinfo") as mounts:
            for line in mounts:
                point, kind = line.split()[4], line.partition(" - ")[2].split()[0]
                if here == point or here.startswith(point.rstrip("/") + "/"):
                    found = kind
    except OSError:
        pass
    return found


def _interfaces() -> list[str]:
    try:
        with open("/proc/net/dev") as devices:
            return sorted(line.partition(":")[0].strip() for line in list(devices)[2:])
    except OSError:
        return []


if __name__ == "__main__":
    with open("seen.json", "w") as file:
        json.dump(look(), file)
