"""Following a process and all its descendants, see ptrace(2)."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
from collections.abc import Container
from typing import Any

from pytest_ftc.builds.launcher.cpu_abi import this_processor

EVENT_EXEC = 4
EVENTS_FORK = (1, 2, 3)
"""PTRACE_EVENT_FORK, _VFORK and _CLONE."""

_EVENT_STOP = 128
_CONT, _DETACH, _GETEVENTMSG, _GETREGSET, _SETREGSET = 7, 17, 0x4201, 0x4204, 0x4205
_SEIZE, _INTERRUPT, _LISTEN = 0x4206, 0x4207, 0x4208
_TRACE_FORK, _TRACE_VFORK, _TRACE_CLONE, _TRACE_EXEC, _EXITKILL = 0x2, 0x4, 0x8, 0x10, 0x100000
_REGISTERS = 1  # NT_PRSTATUS
_ERESTARTSYS, _ERESTARTNOINTR = -512, -513
"""Only tracers see these, see include/linux/errno.h of the kernel."""
_STOPPING = (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)

_libc: Any = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request: int, thread: int, address: int = 0, data: Any = 0) -> None:
    given = ctypes.c_void_p(data) if isinstance(data, int) else data
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(thread), ctypes.c_void_p(address), given) == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace: {os.strerror(number)}")


def seize(pid: int) -> None:
    """Follow `pid` and all its descendants from now on; they die with this process.  Raises OSError.

    Uses PTRACE_SEIZE, because PTRACE_ATTACH stops the process with a SIGSTOP that the build might see, and permits
    neither PTRACE_INTERRUPT nor PTRACE_LISTEN.
    """
    _ptrace(_SEIZE, pid, 0, _TRACE_FORK | _TRACE_VFORK | _TRACE_CLONE | _TRACE_EXEC | _EXITKILL)


def resume(thread: int, status: int) -> None:
    """Let a thread go on whose stop waitpid(2) has reported by `status`, as if it were not traced."""
    # The signal is in bits 8 to 15, the PTRACE_EVENT above them: see "Stopped states" in ptrace(2).
    received, event = os.WSTOPSIG(status), status >> 16
    if event == _EVENT_STOP and received in _STOPPING:
        # A group-stop: PTRACE_CONT would end it, and the build's own SIGSTOP or ^Z would have no effect.
        _quietly(_LISTEN, thread)
    else:
        # A signal-delivery-stop: without its number here, the thread would never receive the signal.
        _quietly(_CONT, thread, 0 if event else received)


def interrupt(thread: int) -> None:
    """Stop `thread` with PTRACE_EVENT_STOP; this interrupts a system call in which it waits."""
    _quietly(_INTERRUPT, thread)


def detach(thread: int, status: int) -> None:
    """Stop following `thread`, whose stop waitpid(2) has reported by `status`."""
    _quietly(_DETACH, thread, 0 if status >> 16 else os.WSTOPSIG(status))


def event_message(thread: int) -> int:
    """Return the message of the event that stopped `thread`: after a fork, the child's PID.  Raises OSError."""
    message = ctypes.c_ulong()
    _ptrace(_GETEVENTMSG, thread, 0, ctypes.byref(message))
    return message.value


def stack_pointer(thread: int) -> int:
    """Return the stack pointer of a stopped thread.  Raises OSError."""
    registers, vector = _read_registers(thread)
    form, index = ("=I", 15 * 4) if _is_small(vector) else ("=Q", 8 * this_processor().stack_register)
    found: int = struct.unpack_from(form, registers, index)[0]
    return found


def hide_interruption(thread: int, calls: Container[int]) -> None:
    """Have `thread`, now stopped before it gets a signal, repeat the call that this interrupts, if one of `calls`.

    A handler without SA_RESTART would otherwise let it fail with EINTR, see signal(7).  Raises OSError.
    """
    places = this_processor().result_registers
    if places is None:
        return
    registers, vector = _read_registers(thread)
    result, number = (struct.unpack_from("=q", registers, 8 * place)[0] for place in places)
    if result == _ERESTARTSYS and number in calls and not _is_small(vector):
        struct.pack_into("=q", registers, 8 * places[0], _ERESTARTNOINTR)
        _ptrace(_SETREGSET, thread, _REGISTERS, ctypes.byref(vector))


def _read_registers(thread: int) -> tuple[Any, Any]:
    registers = ctypes.create_string_buffer(512)
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(registers), len(registers))
    _ptrace(_GETREGSET, thread, _REGISTERS, ctypes.byref(vector))
    return registers, vector


def _is_small(vector: Any) -> bool:
    # The kernel sets the length according to the program: 17 registers of 4 bytes for a 32-bit program on x86.
    return int(vector[1] or 0) == 17 * 4


def set_argument(thread: int, argument: int, value: int) -> None:
    """Change an argument of the system call that `thread`, now stopped, will make again.  Raises OSError."""
    registers, vector = _read_registers(thread)
    struct.pack_into("=Q", registers, 8 * this_processor().argument_registers[argument], value)
    _ptrace(_SETREGSET, thread, _REGISTERS, ctypes.byref(vector))


def _quietly(request: int, thread: int, data: int = 0) -> None:
    # ESRCH: SIGKILL ends a thread even while it is stopped, see "Death under ptrace" in ptrace(2).
    with contextlib.suppress(ProcessLookupError):
        _ptrace(request, thread, 0, data)
