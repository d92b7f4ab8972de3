"""The moved clock for programs that libfaketime does not reach: static ones, Go's, those without LD_PRELOAD.

Programs with jemalloc deadlock with libfaketime at their start, see
https://github.com/wolfcw/libfaketime/issues/130.  They are started without it, and their calls are answered here.
"""

from __future__ import annotations

import os
import struct
import time

from pytest_ftc.builds.launcher.tracing.program_image import Program, has_preloaded, hide_vdso, names, stop_preloading
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule

_REALTIME, _REALTIME_COARSE, _TAI = 0, 5, 11
_FUTEX_CLOCK_REALTIME = 256
_TIMER_ABSTIME = 1
_EFAULT = 14
_TIMEOUT_AT = {"futex": 3, "clock_nanosleep": 2}
_UNBEARABLE = b"jemalloc"
_C_LIBRARY = ("libc.so", "libc-", "ld-", "ld.so", "libpthread", "libfaketime", "[vdso]")

Mapping = tuple[int, int, str]


class MovedClock:
    """Adds `shift` seconds to the times that programs ask the kernel for; `library` is libfaketime.

    Calls that libfaketime makes for a program are not changed, since it moves their answers itself.
    """

    rules = (
        Rule("clock_gettime", (Condition(0, "in", (_REALTIME, _REALTIME_COARSE, _TAI)),)),
        Rule("gettimeofday"),
        Rule("time"),
        # Waits until a point in time, which a program computes from the moved clock, see futex(2) and
        # clock_nanosleep(2).
        Rule("futex", (Condition(1, "bit", (_FUTEX_CLOCK_REALTIME,)), Condition(3, "nonzero"))),
        Rule("clock_nanosleep", (Condition(0, "in", (_REALTIME,)), Condition(1, "bit", (_TIMER_ABSTIME,)))),
    )

    def __init__(self, shift: int, library: str) -> None:
        self._shift = shift
        self._library = library
        self._mappings: dict[int, list[Mapping]] = {}
        self._bears: dict[tuple[int, int], bool] = {}
        self.unreached: dict[str, str] = {}
        """Programs that may have seen the real clock, with the reason."""

    def saw_start(self, pid: int) -> None:
        self._mappings.pop(pid, None)
        try:
            program = Program(pid)
            if not program.native:
                self._miss(pid, "is for another kind of processor")
            elif not (program.dynamic and not program.go and has_preloaded(pid, self._library)):
                hide_vdso(pid)
            elif not self._bears_library(pid, program):
                stop_preloading(pid)
                hide_vdso(pid)
        except OSError as error:
            if os.path.exists(f"/proc/{pid}"):
                self._miss(pid, f"could not be looked into: {error.strerror or error}")

    def _bears_library(self, pid: int, program: Program) -> bool:
        if program.identity not in self._bears:
            self._bears[program.identity] = not names(pid, _UNBEARABLE)
        return self._bears[program.identity]

    def saw_fork(self, parent: int, child: int) -> None:
        pass

    def saw_end(self, pid: int, status: int) -> None:
        self._mappings.pop(pid, None)

    def lost_sight(self, pid: int) -> None:
        self._miss(pid, "is traced by the build itself")

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if self._is_moved_already(notification):
            listener.answer(notification, flags=CONTINUE)
        elif notification.call in _TIMEOUT_AT:
            self._move_back(notification, _TIMEOUT_AT[notification.call])
            listener.answer(notification, flags=CONTINUE)
        else:
            self._tell(notification, listener)

    def _is_moved_already(self, notification: Notification) -> bool:
        thread, caller = notification.thread, notification.caller
        # The address of the call says whose code makes it: libfaketime replaces functions of the C library, and calls
        # the original ones, so a call from there has an answer that is moved afterwards.
        for _ in range(2):
            if thread not in self._mappings:
                self._mappings[thread] = _read_mappings(thread)
            mappings = self._mappings[thread]
            place = next((name for start, end, name in mappings if start <= caller < end), None)
            if place is not None:
                break
            del self._mappings[thread]  # a library has been loaded since
        loaded = any(name == os.path.basename(self._library) for _, _, name in mappings)
        return loaded and place is not None and place.startswith(_C_LIBRARY)

    def _tell(self, notification: Notification, listener: Listener) -> None:
        """Answer in place of the kernel as clock_gettime(2), gettimeofday(2) or time(2) would at another time."""
        named = notification.call == "clock_gettime"
        now = time.clock_gettime_ns(notification.arguments[0] if named else _REALTIME)
        seconds, rest = divmod(now + self._shift * 1_000_000_000, 1_000_000_000)
        value = 0
        if named:
            writes = [(notification.arguments[1], struct.pack("=qq", seconds, rest))]
        elif notification.call == "gettimeofday":
            parts = struct.pack("=qq", seconds, rest // 1000), bytes(8)
            writes = list(zip(notification.arguments, parts, strict=False))
        else:
            writes = [(notification.arguments[0], struct.pack("=q", seconds))]
            value = seconds
        try:
            _write(notification.thread, writes)
        except OSError:
            listener.answer(notification, error=_EFAULT)
        else:
            listener.answer(notification, value)

    def _move_back(self, notification: Notification, argument: int) -> None:
        """Turn a moved point in time into a real one, unless that has been done already.

        The program's memory is changed, since the kernel carries out the call (CONTINUE) and reads it there.  A call
        that a signal interrupts is made, and seen, again: what is nearer to the real time has been turned before.
        """
        address = notification.arguments[argument]
        try:
            with open(f"/proc/{notification.thread}/mem", "r+b", buffering=0) as memory:
                memory.seek(address)
                seconds, rest = struct.unpack("=qq", memory.read(16))
                ahead = seconds - time.time()
                if abs(ahead - self._shift) < abs(ahead):
                    memory.seek(address)
                    memory.write(struct.pack("=qq", seconds - self._shift, rest))
        except (OSError, struct.error):
            return  # the kernel will fail to read the same address, and report EFAULT

    def _miss(self, pid: int, reason: str) -> None:
        try:
            name = os.path.basename(os.readlink(f"/proc/{pid}/exe"))
        except OSError:
            name = f"process {pid}"
        self.unreached.setdefault(name, reason)


def _write(thread: int, writes: list[tuple[int, bytes]]) -> None:
    memory = os.open(f"/proc/{thread}/mem", os.O_RDWR)
    try:
        for address, data in writes:
            if address:
                os.pwrite(memory, data, address)
    finally:
        os.close(memory)


def _read_mappings(thread: int) -> list[Mapping]:
    """Return the executable mappings of a process and the names of their files, see proc_pid_maps(5)."""
    found = []
    try:
        with open(f"/proc/{thread}/maps", errors="surrogateescape") as maps:
            for line in maps:
                fields = line.split(None, 5)
                if "x" in fields[1]:
                    start, _, end = fields[0].partition("-")
                    name = os.path.basename(fields[5].strip()) if len(fields) > 5 else ""
                    found.append((int(start, 16), int(end, 16), name))
    except OSError:
        pass
    return found
