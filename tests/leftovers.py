"""What builds could have left on this machine."""

from __future__ import annotations

import time
from pathlib import Path


def find_leftovers() -> set[str]:
    """Return what builds could have left on this machine: processes, mounts, work folders, shared memory."""
    folders = {str(path) for base in ("/tmp", "/var/tmp") for path in Path(base).glob("pytest-ftc-*")}
    shared = {str(path) for path in Path("/dev/shm").iterdir()} if Path("/dev/shm").is_dir() else set()
    mounts = {line for line in Path("/proc/self/mounts").read_text().splitlines() if "ftc" in line}
    return folders | shared | mounts | _build_processes()


def _build_processes() -> set[str]:
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if b"FTC_CANARY=" in environment or "pytest_ftc.launcher" in command:
                found.add(f"process {folder.name}: {command}")
    return found


def wait_until_gone(before: set[str], seconds: float = 10) -> set[str]:
    """Return what was not there `before` and does not go away within some seconds."""
    deadline = time.monotonic() + seconds
    while (left := find_leftovers() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
