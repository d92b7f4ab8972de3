"""What builds could have left on this machine."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

from pytest_ftc.model.support.file_lock import try_lock


def find_leftovers() -> set[str]:
    """Return what builds of these tests could have left: processes, mounts, work folders, shared memory.

    Other sessions on this machine have other temporary folders than `tempfile.gettempdir()`, and do not count.
    """
    # What all workers of pytest-xdist share may be another's, which works at this moment: some tests have their work
    # folder in /var/tmp, and builds without namespaces share the memory of all.
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    folders = {str(path) for path in Path(tempfile.gettempdir()).glob("pytest-ftc-*")}
    if alone:
        folders |= {str(path) for path in Path("/var/tmp").glob("pytest-ftc-*") if _is_abandoned(path)}
    shared = {str(path) for path in Path("/dev/shm").glob("*") if _is_shared_by_builds(path)} if alone else set()
    mounts = {line for line in Path("/proc/self/mounts").read_text().splitlines() if "ftc" in line}
    return folders | shared | mounts | _build_processes()


def _is_abandoned(folder: Path) -> bool:
    """Return whether no session holds a work folder any more."""
    try:
        lock = os.open(folder / "lock", os.O_RDWR)
    except OSError:
        return folder.exists()
    try:
        return try_lock(lock)
    finally:
        os.close(lock)


def _is_shared_by_builds(memory: Path) -> bool:
    """Return whether a piece of shared memory can be that of a build, and not a database's or another user's."""
    with contextlib.suppress(OSError):
        return memory.lstat().st_uid == os.geteuid() and not memory.name.startswith("PostgreSQL.")
    return False


def _build_processes() -> set[str]:
    """Return the launchers and builds that speak of our own temporary folder."""
    own = os.fsencode(tempfile.gettempdir())
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                if not (b"FTC_CANARY=" in environment or b"pytest_ftc.builds.launcher" in command):
                    continue
                mounts = (folder / "mountinfo").read_bytes()
            except OSError:
                continue
            if any(own in text for text in (environment, command, mounts)):
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
