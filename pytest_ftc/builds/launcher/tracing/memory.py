"""Reading the arguments of an intercepted call: the memory of its thread, and names in it."""

from __future__ import annotations

import os

from pytest_ftc.builds.launcher.tracing.seccomp import Notification

AT_FDCWD = 0xFFFFFF9C
"""-100 in 32 bits: descriptors are ints, so the upper half of the register is undefined."""
_LONGEST = 4096


def peek(call: Notification, address: int, size: int) -> bytes:
    """Return `size` bytes at `address` in the memory of the thread that makes `call`; fewer where it ends.

    Raises OSError.
    """
    memory = os.open(f"/proc/{call.thread}/mem", os.O_RDONLY)
    try:
        # After the memory has been opened: the number of a thread that has died could be that of another one.
        if not call.is_waiting():
            raise ProcessLookupError(f"thread {call.thread} has died")
        return os.pread(memory, size, address)
    finally:
        os.close(memory)


def read_name(call: Notification, address: int) -> str:
    """Return the path at `address` as the program wrote it.  Raises OSError."""
    return os.fsdecode(peek(call, address, _LONGEST).partition(b"\0")[0])


def resolve_name(call: Notification, folder: int, name: int) -> str:
    """Return the path at the address `name` as an absolute one, relative to the descriptor `folder`: see openat(2).

    Raises OSError.
    """
    path = read_name(call, name)
    if not os.path.isabs(path):
        low = folder & 0xFFFFFFFF
        base = "cwd" if low == AT_FDCWD else f"fd/{low}"
        path = os.path.join(os.readlink(f"/proc/{call.thread}/{base}"), path)
    return os.path.normpath(path)
