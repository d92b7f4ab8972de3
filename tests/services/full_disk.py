"""Disks that become full."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path


def on_small_disk(folder: Path, size: int) -> list[str]:
    """Return the beginning of a command for which `folder` is empty and holds at most `size` bytes.

    Where no file system can be mounted, no file of the command can be larger than `size` instead.
    """
    if not _mounts():
        return ["prlimit", f"--fsize={size}"]
    mount = 'mount -t tmpfs -o size="$0",mode=755 none "$1" && shift && exec "$@"'
    return [*_namespace(), "sh", "-c", mount, str(size), str(folder)]


def _namespace() -> list[str]:
    return ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]


@cache
def _mounts() -> bool:
    command = [*_namespace(), "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(command, capture_output=True).returncode == 0
