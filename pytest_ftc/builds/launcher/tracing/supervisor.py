"""Following all processes of a build: the programs that they execute, and some of their calls.

ptrace(2) reports new programs and processes, seccomp_unotify(2) individual calls.  PTRACE_SYSCALL would stop a thread
twice in every call, even if it is of no interest.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Sequence

from pytest_ftc.builds.launcher.cpu_abi import this_processor
from pytest_ftc.builds.launcher.tracing import ptrace, seccomp
from pytest_ftc.builds.launcher.tracing.guard import Guard
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_TRACE_ME, _ATTACH, _SEIZE = 0, 16, 0x4206
_ERESTARTSYS = 512
_NEVER_INTERRUPTED = frozenset(
    {
        "access", "clock_gettime", "faccessat", "faccessat2", "fstat", "getdents64", "gettimeofday", "lstat",
        "newfstatat", "readlink", "readlinkat", "stat", "statx", "time",
    }
)  # fmt: skip
"""Calls that no signal interrupts where the kernel carries them out, so that programs do not expect it."""


class Supervisor:
    """Follows a build for its `watchers`.

    A thread has at most one tracer, see ptrace(2), so a thread that the build wants to trace (with strace or gdb) is
    released.
    """

    _RULE = Rule("ptrace", (Condition(0, "in", (_TRACE_ME, _ATTACH, _SEIZE)),))

    def __init__(self, watchers: Sequence[Watcher], guard: Guard) -> None:
        self._watchers = watchers
        self._guard = guard
        self._asked = {rule.call: watcher for watcher in watchers for rule in watcher.rules}
        """The watcher that answers each call; no two of them intercept the same one."""
        rules = [self._RULE, *guard.rules, *(rule for one in watchers for rule in one.rules)]
        self._filter = seccomp.compile_filter(rules)
        self._listener: Listener | None = None
        self._to_release: dict[int, list[Notification]] = {}
        self._released: set[int] = set()
        self._to_change: dict[int, tuple[int, int]] = {}
        self._unchangeable: set[int] = set()
        calls = this_processor().calls
        self._uninterrupted = {calls[name] for name in _NEVER_INTERRUPTED & calls.keys()}
        self._holds_signals = seccomp.can_hold_signals()

    def ask(self) -> int:
        """In the process that becomes the build: install the filter; return the descriptor for `listen`."""
        return seccomp.install_filter(self._filter)

    def listen(self, pid: int, descriptor: int) -> None:
        """In the watching process: answer the calls of `pid`, which has called `ask`.  Raises OSError."""
        self._listener = Listener(seccomp.take_descriptor(pid, descriptor))

    @property
    def descriptor(self) -> int:
        """A descriptor that is readable if a call waits for an answer."""
        assert self._listener is not None
        return self._listener.descriptor

    def handle_stop(self, pid: int, status: int) -> None:
        """Resume a thread that waitpid(2) reports as stopped."""
        self._change_call(pid)
        event = status >> 16
        if not event:
            with contextlib.suppress(OSError):
                ptrace.hide_interruption(pid, self._uninterrupted)
        if event == ptrace.EVENT_EXEC:
            for watcher in self._watchers:
                watcher.saw_start(pid)
        elif event in ptrace.EVENTS_FORK:
            self._tell_fork(pid)
        waiting = self._to_release.pop(pid, None)
        if waiting is None:
            ptrace.resume(pid, status)
            return
        ptrace.detach(pid, status)
        self._released.add(pid)
        for watcher in self._watchers:
            watcher.lost_sight(pid)
        self._let_go_on(waiting)

    def _tell_fork(self, parent: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            child = ptrace.event_message(parent)
            for watcher in self._watchers:
                watcher.saw_fork(parent, child)

    def handle_end(self, pid: int, status: int) -> None:
        """Handle the end of a process or thread, as reported by waitpid(2)."""
        self._released.discard(pid)
        self._to_change.pop(pid, None)
        self._unchangeable.discard(pid)
        for watcher in self._watchers:
            watcher.saw_end(pid, status)
        self._let_go_on(self._to_release.pop(pid, ()))

    def handle_call(self) -> None:
        """Answer the waiting call."""
        assert self._listener is not None
        notification = self._listener.receive()
        if notification is None:
            return
        if notification.call == "ptrace":
            self._give_way(notification)
        elif not self._guard.decide(notification, self._listener, self._change):
            watcher = self._asked.get(notification.call)
            if watcher:
                watcher.saw_call(notification, self._listener)
            else:
                self._listener.answer(notification, flags=CONTINUE)

    def _change(self, notification: Notification, argument: int, value: int) -> None:
        """Have the call be made with another value of `argument`: interrupted, the kernel makes it again.

        seccomp_unotify(2) has no answer for that.  Whom this process does not trace, it cannot change.
        """
        assert self._listener is not None
        thread = notification.thread
        if not notification.native or thread in self._unchangeable or not _is_traced(thread):
            self._listener.answer(notification, error=errno.EPERM)
            return
        self._to_change[thread] = argument, value
        self._interrupt(notification)

    def _change_call(self, thread: int) -> None:
        change = self._to_change.pop(thread, None)
        if change:
            try:
                ptrace.set_argument(thread, *change)
            except OSError:
                self._unchangeable.add(thread)

    def _give_way(self, notification: Notification) -> None:
        """Release a thread before a process of the build traces it."""
        assert self._listener is not None
        request, target = notification.arguments[:2]
        thread = notification.thread if request == _TRACE_ME else target
        if thread in self._released or not _is_traced(thread):
            self._listener.answer(notification, flags=CONTINUE)
            return
        waiting = self._to_release.setdefault(thread, [])
        # Detaching requires a stopped thread.  A thread that calls PTRACE_TRACEME is interrupted in this call, and
        # repeats it when it has been released; then it is in `_released`.
        if request == _TRACE_ME:
            self._interrupt(notification)
        else:
            waiting.append(notification)
            ptrace.interrupt(thread)

    def _interrupt(self, notification: Notification) -> None:
        """Stop the thread that makes a call, which it then makes again."""
        assert self._listener is not None
        ptrace.interrupt(notification.thread)
        if self._holds_signals:
            # The call has to end, and the kernel repeats it, since there is a stop to make before the program goes on.
            self._listener.answer(notification, error=_ERESTARTSYS)

    def _let_go_on(self, waiting: Sequence[Notification]) -> None:
        assert self._listener is not None
        for notification in waiting:
            self._listener.answer(notification, flags=CONTINUE)


def _is_traced(thread: int) -> bool:
    """Return whether this process traces `thread`, see TracerPid in proc_pid_status(5)."""
    with contextlib.suppress(OSError), open(f"/proc/{thread}/status") as status:
        return any(line.split() == ["TracerPid:", str(os.getpid())] for line in status)
    return False
