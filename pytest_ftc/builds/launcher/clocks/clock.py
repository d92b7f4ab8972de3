"""The moved clock: every program gets a vDSO that returns moved times, and time system calls are answered here.

So it depends neither on the environment of a program nor on its linkage.  Only programs for another kind of
processor, and those whose memory is inaccessible, see the real time; they are reported.
"""

from __future__ import annotations

import os

from pytest_ftc.builds.launcher.clocks import answers
from pytest_ftc.builds.launcher.clocks.shown import Shown
from pytest_ftc.builds.launcher.clocks.vdso import Patch, find_patches, read_own_vdso
from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing.memory import executable_name
from pytest_ftc.builds.launcher.tracing.program_image import Program, hide_vdso, patch_vdso
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_REALTIME, _REALTIME_COARSE, _TAI = 0, 5, 11
_TIMER_ABSTIME = 1
_UNTRACED = 0x00800000
"""CLONE_UNTRACED of clone(2)."""
_WITH_REALTIME, _PRIVATE = 256, 128
_LOCK_PI, _WAIT_BITSET, _WAIT_REQUEUE_PI, _LOCK_PI2 = 6, 9, 11, 13
# For these operations the timeout is an absolute time, for FUTEX_LOCK_PI always of the real-time clock.  For
# FUTEX_WAIT it is relative with any clock, see futex(2).
_UNTIL = tuple(
    operation | private
    for operation in (_LOCK_PI, *(one | _WITH_REALTIME for one in (_WAIT_BITSET, _WAIT_REQUEUE_PI, _LOCK_PI2)))
    for private in (0, _PRIVATE)
)
_ASKS_CLOCK = (Condition(0, "in", (_REALTIME, _REALTIME_COARSE, _TAI)),)
_SLEEPS_UNTIL = (Condition(0, "in", (_REALTIME, _TAI)), Condition(1, "bit", (_TIMER_ABSTIME,)))
_WAITS_UNTIL = (Condition(1, "in", _UNTIL), Condition(3, "nonzero"))
_SETS_TIMER = (Condition(1, "bit", (_TIMER_ABSTIME,)),)


class MovedClock(Watcher):
    """Gives programs that request the time what `clock` shows."""

    rules = (
        Rule("clock_gettime", _ASKS_CLOCK),
        Rule("clock_gettime64", _ASKS_CLOCK),
        Rule("gettimeofday"),
        Rule("time"),
        Rule("adjtimex"),
        Rule("clock_adjtime"),
        Rule("clock_adjtime64"),
        # These calls wait until an absolute time, which a program computes from the moved clock.
        Rule("futex", _WAITS_UNTIL),
        Rule("futex_time64", _WAITS_UNTIL),
        Rule("futex_waitv", (Condition(3, "nonzero"), Condition(4, "in", (_REALTIME,)))),
        Rule("clock_nanosleep", _SLEEPS_UNTIL),
        Rule("clock_nanosleep_time64", _SLEEPS_UNTIL),
        Rule("mq_timedsend", (Condition(4, "nonzero"),)),
        Rule("mq_timedreceive", (Condition(4, "nonzero"),)),
        Rule("timer_settime", _SETS_TIMER),
        Rule("timerfd_settime", _SETS_TIMER),
        # An untraced process would start programs unnoticed.
        Rule("clone", (Condition(0, "bit", (_UNTRACED,)),)),
        Rule("clone3"),
    )

    def __init__(self, clock: Shown) -> None:
        self._clock = clock
        self._patches = _prepare(clock)
        self._vdsos: dict[int, range] = {}
        self._moved: set[tuple[int, int, int]] = set()
        self.unreached: dict[str, str] = {}
        """Programs that may have seen the real clock, with the reason."""

    def saw_start(self, pid: int) -> None:
        self._vdsos.pop(pid, None)
        try:
            program = Program(pid)
            if program.kind == "":
                self._miss(pid, "is for another kind of processor")
            elif program.kind == "native" and self._patches:
                patch_vdso(pid, self._patches)
            else:
                hide_vdso(pid, program.word)
        except OSError as error:
            if os.path.exists(f"/proc/{pid}"):
                self._miss(pid, f"could not be inspected: {error.strerror or error}")

    def saw_end(self, pid: int, status: int) -> None:
        self._vdsos.pop(pid, None)

    def lost_sight(self, pid: int) -> None:
        # A build's own tracer (LeakSanitizer's) may be created with CLONE_UNTRACED, which matters less.
        self.unreached.pop(executable_name(pid, f"process {pid}"), None)
        self._miss(pid, "is traced by the build itself")

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if notification.call in answers.WAITS:
            answers.move_back(notification, self._clock, self._moved)
            listener.answer(notification, flags=CONTINUE)
        elif notification.call in ("clone", "clone3"):
            if notification.call == "clone" or answers.read_flags(notification) & _UNTRACED:
                self._miss(notification.thread, "starts processes that cannot be traced (CLONE_UNTRACED)")
            listener.answer(notification, flags=CONTINUE)
        elif not self._clock.stop and self._comes_from_vdso(notification):
            # Without a usable hardware clock, the vDSO makes the system call itself, and then moves the result.
            listener.answer(notification, flags=CONTINUE)
        elif notification.call in answers.ADJUSTMENTS and not notification.native:
            self._miss(notification.thread, "reads the time with a 32-bit adjtimex(2)")
            listener.answer(notification, flags=CONTINUE)
        else:
            answers.give_time(notification, listener, self._clock)

    def _comes_from_vdso(self, notification: Notification) -> bool:
        if not self._patches or not notification.native:
            return False
        thread = notification.thread
        if thread not in self._vdsos:
            self._vdsos[thread] = _find_vdso(thread)
        return notification.caller in self._vdsos[thread]

    def _miss(self, pid: int, reason: str) -> None:
        self.unreached.setdefault(executable_name(pid, f"process {pid}"), reason)


def _prepare(clock: Shown) -> tuple[Patch, ...]:
    """Return the patches for the vDSO; none if it has to be hidden from programs, which then make system calls."""
    if not this_processor().can_patch:
        return ()
    try:
        return find_patches(read_own_vdso(), clock)
    except (OSError, ValueError):
        return ()


def _find_vdso(thread: int) -> range:
    try:
        with open(f"/proc/{thread}/maps", errors="surrogateescape") as maps:
            for line in maps:
                if line.endswith("[vdso]\n"):
                    start, _, end = line.split()[0].partition("-")
                    return range(int(start, 16), int(end, 16))
    except OSError:
        pass
    return range(0)
