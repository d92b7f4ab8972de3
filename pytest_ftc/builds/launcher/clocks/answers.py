"""Answering time calls in place of the kernel, and converting moved absolute times to real ones.

Sizes are those of the caller: 8 bytes; in 32-bit calls 4, except in calls whose names end with 64.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import time

from pytest_ftc.builds.launcher.clocks.shown import BILLION, Shown
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.kernel import system_call
from pytest_ftc.builds.launcher.tracing.memory import peek, write_answer
from pytest_ftc.builds.launcher.tracing.seccomp import Listener, Notification

_REALTIME = 0
_EPERM, _EFAULT = 1, 14
# The argument with the absolute time, and the offset in it: in struct itimerspec it follows the interval.
WAITS = {
    "futex": (3, 0), "futex_time64": (3, 0), "futex_waitv": (3, 0), "clock_nanosleep": (2, 0),
    "clock_nanosleep_time64": (2, 0), "mq_timedsend": (4, 0), "mq_timedreceive": (4, 0),
    "timer_settime": (2, 16), "timerfd_settime": (2, 16),
}  # fmt: skip
"""Calls that wait until an absolute time."""
ADJUSTMENTS = {"adjtimex": 0, "clock_adjtime": 1, "clock_adjtime64": 1}
"""Calls that return the time in the settings of the clock, with the argument that points to these."""
# struct timex of 64-bit systems, see adjtimex(2): its time has a part in nano- or microseconds.
_SIZE_OF_TIMEX, _STATUS_IN_TIMEX, _TIME_IN_TIMEX, _STA_NANO = 208, 40, 72, 0x2000
_LEAST_DATE = 10 * 365 * 86400
"""Seconds since 1970.  A smaller value comes from another clock, such as the uptime."""
_MOST_MOVED = 100_000
_UNSIGNED = {4: 0xFFFFFFFF, 8: 0xFFFFFFFFFFFFFFFF}


def give_time(notification: Notification, listener: Listener, clock: Shown) -> None:
    """Answer a call that requests the time."""
    if notification.call in ADJUSTMENTS:
        _give_settings(notification, listener, clock)
        return
    first, second = notification.arguments[:2]
    named = notification.call.startswith("clock_gettime")
    now = time.clock_gettime_ns(first if named else _REALTIME)
    seconds, rest = divmod(clock.show(now), BILLION)
    value = 0
    if named:
        writes = [(second, _pair(notification, seconds, rest))]
    elif notification.call == "gettimeofday":
        writes = [(first, _pair(notification, seconds, rest // 1000)), (second, bytes(8))]
    else:
        size = 8 if notification.native else 4
        value = seconds & _UNSIGNED[size]
        writes = [(first, value.to_bytes(size, sys.byteorder))]
    write_answer(notification, listener, value, writes)


def _pair(notification: Notification, seconds: int, rest: int) -> bytes:
    if _is_wide(notification):
        return struct.pack("=qq", seconds, rest)
    return struct.pack("=II", seconds & _UNSIGNED[4], rest)


def _is_wide(notification: Notification) -> bool:
    return notification.native or notification.call.endswith("64")


def _give_settings(notification: Notification, listener: Listener, clock: Shown) -> None:
    """Answer adjtimex(2) or clock_adjtime(2), which must not change the clock of the machine."""
    address = notification.arguments[ADJUSTMENTS[notification.call]]
    settings = ctypes.create_string_buffer(_SIZE_OF_TIMEX)
    number = this_processor().calls["adjtimex"]
    try:
        (modes,) = struct.unpack("=I", peek(notification, address, 4))
        if modes or (notification.call != "adjtimex" and notification.arguments[0] & _UNSIGNED[4] != _REALTIME):
            listener.answer(notification, error=_EPERM)
            return
        state = system_call(number, ctypes.byref(settings), what="adjtimex")
    except (OSError, struct.error):
        listener.answer(notification, error=_EFAULT)
        return
    seconds, rest = struct.unpack_from("=qq", settings, _TIME_IN_TIMEX)
    (status,) = struct.unpack_from("=i", settings, _STATUS_IN_TIMEX)
    unit = 1 if status & _STA_NANO else 1000
    seconds, rest = divmod(clock.show(seconds * BILLION + rest * unit), BILLION)
    struct.pack_into("=qq", settings, _TIME_IN_TIMEX, seconds, rest // unit)
    write_answer(notification, listener, state, [(address, settings.raw)])


def move_back(notification: Notification, clock: Shown, moved: set[tuple[int, int, int]]) -> None:
    """Convert a moved absolute time to a real one, unless that has been done already.

    This changes the program's memory, because the kernel then executes the call and reads it there.  A call that is
    interrupted by a signal, or repeated with the same memory, is seen again: `moved` contains the addresses and values
    written before.
    """
    argument, offset = WAITS[notification.call]
    form = "=qq" if _is_wide(notification) else "=ii"
    address = notification.arguments[argument] + offset
    try:
        with open(f"/proc/{notification.thread}/mem", "r+b", buffering=0) as memory:
            if not notification.is_waiting():
                return
            memory.seek(address)
            seconds, rest = struct.unpack(form, memory.read(struct.calcsize(form)))
            if seconds > _LEAST_DATE and (address, seconds, rest) not in moved:
                memory.seek(address)
                seconds, rest = divmod(clock.find_real(seconds * BILLION + rest), BILLION)
                memory.write(struct.pack(form, seconds, rest))
                if len(moved) < _MOST_MOVED:
                    moved.add((address, seconds, rest))
    except (OSError, struct.error):
        return  # the kernel will fail to read the same address, and report EFAULT


def read_flags(notification: Notification) -> int:
    """Return the flags of a clone3(2), the first field of its first argument; 0 if it cannot be read."""
    try:
        flags: int = struct.unpack("=Q", peek(notification, notification.arguments[0], 8))[0]
    except (OSError, struct.error):
        return 0
    return flags
