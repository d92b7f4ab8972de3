"""The memory of the thread that makes an intercepted call: reading its arguments, and writing the answer there."""

from __future__ import annotations

import errno
import os

from pytest_ftc.builds.launcher.tracing.seccomp import Listener, Notification

AT_FDCWD = 0xFFFFFF9C
"""-100 in 32 bits: descriptors are ints, so the upper half of the register is undefined."""
_LONGEST = 4096
_OWN_FOLDERS = (("/proc/self/", ""), ("/proc/thread-self/", ""), ("/dev/fd/", "fd/"))
_OWN_FILES = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


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


def write_answer(call: Notification, listener: Listener, value: int, writes: list[tuple[int, bytes]]) -> bool:
    """Have the call return `value`, after each of `writes`, an address and bytes, is in the memory of its thread.

    Return whether it did; where the memory cannot be written, it fails with EFAULT.
    """
    try:
        memory = os.open(f"/proc/{call.thread}/mem", os.O_RDWR)
    except OSError:
        listener.answer(call, error=errno.EFAULT)
        return False
    try:
        # After the memory has been opened: the number of a thread that has died could be that of another one.
        if not call.is_waiting():
            return False
        for address, data in writes:
            if address:
                os.pwrite(memory, data, address)
        return listener.answer(call, value)
    except OSError:
        listener.answer(call, error=errno.EFAULT)
        return False
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
        path = os.path.join(os.readlink(folder_of(call.thread, folder)), path)
    path = os.path.normpath(path)
    # normpath keeps two leading slashes, since POSIX allows them a meaning; Linux gives them none.
    return path[1:] if path.startswith("//") else path


def folder_of(thread: int, folder: int) -> str:
    """Return a path that leads this process to the descriptor `folder` of `thread`, see proc_pid_fd(5)."""
    low = folder & 0xFFFFFFFF
    return f"/proc/{thread}/{'cwd' if low == AT_FDCWD else f'fd/{low}'}"


def own_name(thread: int, path: str) -> str:
    """Return the name for all processes of a `path` that means something else to each; empty for any other path."""
    for name, own in _OWN_FOLDERS:
        if path.startswith(name):
            return f"/proc/{thread}/{own}{path[len(name) :]}"
    return f"/proc/{thread}/fd/{_OWN_FILES[path]}" if path in _OWN_FILES else ""


def executable_name(thread: int, unknown: str = "a program") -> str:
    """Return the name of the file that `thread` executes, or `unknown` if it has ended."""
    try:
        return os.path.basename(os.readlink(f"/proc/{thread}/exe"))
    except OSError:
        return unknown
