"""What builds could have left on this machine."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path


def find_leftovers() -> set[str]:
    """Return what builds of these tests could have left: processes, mounts, work folders, shared memory."""
    # What all workers of pytest-xdist share may be another's, which works at this moment: some tests have their work
    # folder in /var/tmp, and builds without namespaces share the memory of all.
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    bases = [tempfile.gettempdir(), *(["/var/tmp"] if alone else [])]
    folders = {str(path) for base in bases for path in Path(base).glob("pytest-ftc-*")}
    shared = {str(path) for path in Path("/dev/shm").glob("*")} if alone else set()
    mounts = {line for line in Path("/proc/self/mounts").read_text().splitlines() if "ftc" in line}
    return folders | shared | mounts | _build_processes()


def _build_processes() -> set[str]:
    """Return the launchers and builds, in a worker of pytest-xdist those that speak of its own temporary folder."""
    own = os.fsencode(tempfile.gettempdir()) if "PYTEST_XDIST_WORKER" in os.environ else b""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                mounts = (folder / "mountinfo").read_bytes()
            except OSError:
                continue
            if not any(own in text for text in (environment, command, mounts)):
                continue
            if b"FTC_CANARY=" in environment or b"pytest_ftc.builds.launcher" in command:
                found.add(f"process {folder.name}: {command.decode(errors='replace')}")
    return found


def wait_until_gone(before: set[str], seconds: float = 10) -> set[str]:
    """Return what was not there `before` and does not go away within some seconds."""
    deadline = time.monotonic() + seconds
    left = find_leftovers() - before
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left &= find_leftovers()
    return left
