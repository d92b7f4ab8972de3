"""Intercepting some of a program's system calls, see seccomp_unotify(2).

This is for observation and for the clock, and is not a sandbox: after CONTINUE, the kernel reads the arguments again,
which another thread may have changed meanwhile.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import struct
from collections.abc import Iterable
from typing import NamedTuple

from pytest_ftc.builds.launcher import kernel
from pytest_ftc.builds.launcher.cpu_abi import this_processor

CONTINUE = 1
"""Flag of an answer (SECCOMP_USER_NOTIF_FLAG_CONTINUE, Linux 5.5): let the kernel execute the call."""

_SET_MODE_FILTER = 1
_NEW_LISTENER, _WAIT_KILLABLE = 1 << 3, 1 << 5
_ALLOW, _NOTIFY, _FAIL = 0x7FFF0000, 0x7FC00000, 0x00050000
_RECEIVE, _SEND, _IS_VALID = 0xC0502100, 0xC0182101, 0x40082102
# The build waits while a call is answered, so both can take turns on one processor, without a wakeup of another one.
_SET_FLAGS, _SYNC_WAKE_UP = 0x40082104, 1
# struct seccomp_notif with its struct seccomp_data, and struct seccomp_notif_resp; their sizes, 80 and 24, are part of
# the numbers of the ioctls above.
_NOTIFICATION = struct.Struct("=QIIiIQ6Q")
_ANSWER = struct.Struct("=QqiI")

# Classic BPF, see Documentation/networking/filter.rst: load a word, jump if equal, jump if a bit is set, return.  Jumps
# are relative to the next instruction, and words have 32 bits, so an 8-byte argument is loaded in two halves.
_LOAD, _JUMP, _EQUAL, _SET, _RETURN = 0x20, 0x05, 0x15, 0x45, 0x06
# Offsets in struct seccomp_data.
_AT_NUMBER, _AT_PROCESSOR, _AT_ARGUMENTS = 0, 4, 16


class Condition(NamedTuple):
    """A condition on one argument of a call; only its low 32 bits count, except for ``nonzero``."""

    argument: int
    kind: str
    """``in`` (one of the values), ``bit`` (has a bit of the one value), ``clear`` (has none of them) or ``nonzero``."""
    values: tuple[int, ...] = ()


class Rule(NamedTuple):
    """A call to intercept when all `conditions` hold."""

    call: str
    conditions: tuple[Condition, ...] = ()
    error: int = 0
    """The errno with which it fails without being asked about, unless 0."""


class Notification(NamedTuple):
    """An intercepted call, which waits for an answer."""

    id: int
    thread: int
    call: str
    caller: int
    """Address of the instruction that makes the call."""
    arguments: tuple[int, ...]
    native: bool = True
    """False for a 32-bit call."""
    listener: int = -1
    """The descriptor that it came from; -1 for a call that no kernel has reported."""

    def is_waiting(self) -> bool:
        """Return whether the thread still waits for an answer, so that its number is not that of another one."""
        try:
            if self.listener >= 0:
                fcntl.ioctl(self.listener, _IS_VALID, struct.pack("=Q", self.id))
        except OSError:
            return False
        return True


def compile_filter(rules: Iterable[Rule]) -> bytes:
    """Return the BPF program that intercepts the calls of `rules` and allows all others; the first that fits counts.

    A number means different calls in 64-bit and in 32-bit code, and a program may make both kinds, see seccomp(2).
    """
    processor = this_processor()
    program = [(_LOAD, 0, 0, _AT_PROCESSOR)]
    rules = tuple(rules)
    for audit, calls, also in (
        (processor.audit, processor.calls, processor.also),
        (processor.audit_32, processor.calls_32, 0),
    ):
        body: list[tuple[int, int, int, int]] = []
        for rule in rules:
            if rule.call in calls:
                body += _compile_rule(calls[rule.call], also, rule)
        body.append((_RETURN, 0, 0, _ALLOW))
        if audit:
            # Conditional jumps have 8-bit offsets and reach 255 instructions; "jump always" has 32 bits.
            program += [(_EQUAL, 1, 0, audit), (_JUMP, 0, 0, len(body)), *body]
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _compile_rule(number: int, also: int, rule: Rule) -> list[tuple[int, int, int, int]]:
    fail = -1  # a placeholder for the distance to the end of this rule, until that is known
    body = [(_LOAD, 0, 0, _AT_NUMBER), (_EQUAL, 1, 0, number), (_EQUAL, 0, fail, number | also)]
    for condition in rule.conditions:
        low = _AT_ARGUMENTS + 8 * condition.argument
        body.append((_LOAD, 0, 0, low))
        if condition.kind == "in":
            last = len(condition.values) - 1
            body += [(_EQUAL, last - i, 0 if i < last else fail, value) for i, value in enumerate(condition.values)]
        elif condition.kind == "bit":
            body.append((_SET, 0, fail, condition.values[0]))
        elif condition.kind == "clear":
            body.append((_SET, fail, 0, condition.values[0]))
        else:
            body += [(_SET, 2, 0, 0xFFFFFFFF), (_LOAD, 0, 0, low + 4), (_SET, 0, fail, 0xFFFFFFFF)]
    body.append((_RETURN, 0, 0, _FAIL | rule.error if rule.error else _NOTIFY))
    end = len(body)
    return [
        (code, end - index - 1 if yes == fail else yes, end - index - 1 if no == fail else no, value)
        for index, (code, yes, no, value) in enumerate(body)
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def can_hold_signals() -> bool:
    """Return whether a call that has been received waits for its answer whatever signals come, but those that kill.

    Linux 5.19 offers that.  Flags are checked before the program, whose address is invalid here.
    """
    try:
        kernel.system_call(
            this_processor().calls["seccomp"], _SET_MODE_FILTER, _NEW_LISTENER | _WAIT_KILLABLE, 0, what=""
        )
    except OSError as error:
        return error.errno == errno.EFAULT
    return False


def install_filter(program: bytes, flags: int = _NEW_LISTENER) -> int:
    """Put this process and all its descendants under `program`; return the descriptor that receives notifications.

    Signals wait for the answer of a call where they can.
    Needs no_new_privs, see seccomp(2).  Raises OSError, with EBUSY if a filter with a listener is installed already.
    Without `flags` there is no listener, and so no descriptor.
    """
    buffer = ctypes.create_string_buffer(program, len(program))
    if flags & _NEW_LISTENER and can_hold_signals():
        flags |= _WAIT_KILLABLE
    given = _Program(len(program) // 8, ctypes.cast(buffer, ctypes.c_char_p))
    return kernel.system_call(
        this_processor().calls["seccomp"], _SET_MODE_FILTER, flags, ctypes.byref(given), what="seccomp"
    )


def take_descriptor(pid: int, number: int) -> int:
    """Return a copy of the descriptor `number` of the process `pid`, see pidfd_getfd(2).  Raises OSError.

    This requires only the permission to trace `pid`, so no socket for passing it (SCM_RIGHTS, unix(7)) must stay open.
    """
    calls = this_processor().calls
    handle = kernel.system_call(calls["pidfd_open"], pid, 0, what="pidfd_open")
    try:
        return kernel.system_call(calls["pidfd_getfd"], handle, number, 0, what="pidfd_getfd")
    finally:
        os.close(handle)


class Listener:
    """Receives notifications and answers them."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        with contextlib.suppress(OSError):  # Linux 6.6
            fcntl.ioctl(descriptor, _SET_FLAGS, _SYNC_WAKE_UP)
        self._processor = this_processor()
        self._names = {number: name for name, number in self._processor.calls.items()}
        self._names_32 = {number: name for name, number in self._processor.calls_32.items()}

    def receive(self) -> Notification | None:
        """Return the next notification; None if its thread has died or has been interrupted meanwhile."""
        # The buffer must be zeroed, or the kernel returns EINVAL.
        buffer = bytearray(_NOTIFICATION.size)
        try:
            fcntl.ioctl(self.descriptor, _RECEIVE, buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return None
            raise
        number, thread, _, call, audit, caller, *arguments = _NOTIFICATION.unpack(buffer)
        native = audit == self._processor.audit
        names = self._names if native else self._names_32
        name = names.get(call & ~self._processor.also if native else call, "")
        return Notification(number, thread, name, caller, tuple(arguments), native, self.descriptor)

    def answer(self, notification: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> bool:
        """Make the call return `value`, fail with the errno `error`, or, with the flag CONTINUE, be executed.

        Return whether it still waited for that.
        """
        data = _ANSWER.pack(notification.id, value, -error, flags)
        while (sent := self._send(data)) is None:
            pass
        return sent

    def _send(self, data: bytes) -> bool | None:
        """Return whether `data` was taken; None if it is to be sent again."""
        try:
            fcntl.ioctl(self.descriptor, _SEND, data)
        except InterruptedError:
            return None
        except OSError as problem:
            # ENOENT: the thread has died, or a signal interrupted the call, which is then repeated.
            # EINPROGRESS: it has been answered already.
            if problem.errno not in (errno.ENOENT, errno.EINPROGRESS):
                raise
            return False
        return True
