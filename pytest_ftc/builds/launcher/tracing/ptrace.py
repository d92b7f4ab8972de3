"""Following a process and all that come from it, by ptrace(2)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
from typing import Any

from pytest_ftc.builds.launcher.cpu_abi import this_processor

EVENT_EXEC = 4
EVENTS_FORK = (1, 2, 3)
"""After fork, vfork and clone."""

_EVENT_STOP = 128
_CONT, _DETACH, _GETEVENTMSG, _GETREGSET, _SEIZE, _INTERRUPT, _LISTEN = 7, 17, 0x4201, 0x4204, 0x4206, 0x4207, 0x4208
_TRACE_FORK, _TRACE_VFORK, _TRACE_CLONE, _TRACE_EXEC, _EXITKILL = 0x2, 0x4, 0x8, 0x10, 0x100000
_REGISTERS = 1
_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_libc: Any = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int, address: int = 0, data: Any = 0) -> None:
    given = ctypes.c_void_p(data) if isinstance(data, int) else data
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), ctypes.c_void_p(address), given) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace: {os.strerror(number)}")


def seize(pid: int) -> None:
    """Follow `pid` and all its descendants from now on; they die when this process does.  Raises OSError."""
    _ptrace(_SEIZE, pid, 0, _TRACE_FORK | _TRACE_VFORK | _TRACE_CLONE | _TRACE_EXEC | _EXITKILL)


def resume(thread: int, status: int) -> None:
    """Let a thread go on whose stop waitpid(2) has reported by `status`, as if nobody had looked."""
    received, event = os.WSTOPSIG(status), status >> 16
    if event == _EVENT_STOP and received in _STOPPING:
        _quietly(_LISTEN, thread)
    else:
        _quietly(_CONT, thread, 0 if event else received)


def interrupt(thread: int) -> None:
    """Have `thread` stop soon."""
    _quietly(_INTERRUPT, thread)


def detach(thread: int, status: int) -> None:
    """Follow `thread`, which waitpid(2) has reported as stopped by `status`, no longer."""
    _quietly(_DETACH, thread, 0 if status >> 16 else os.WSTOPSIG(status))


def event_message(thread: int) -> int:
    """Return what the event that stopped `thread` is about: for a fork, the child.  Raises OSError."""
    message = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, thread, 0, ctypes.byref(message))
    return message.value


def stack_pointer(thread: int) -> int:
    """Return where the stack of a stopped thread ends.  Raises OSError."""
    registers = ctypes.create_string_buffer(512)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(registers), len(registers))
    _ptrace(_GETREGSET, thread, _REGISTERS, ctypes.byref(vector))
    found: int = struct.unpack_from("=Q", registers, 8 * this_processor().stack_register)[0]
    return found


def _quietly(request: int, thread: int, data: int = 0) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was killed meanwhile
        _ptrace(request, thread, 0, data)
