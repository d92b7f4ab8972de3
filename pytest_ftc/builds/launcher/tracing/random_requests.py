"""Recording which programs request random bytes from the kernel."""

from __future__ import annotations

from collections.abc import Callable

from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_GRND_RANDOM = 2


class RandomRequests(Watcher):
    """Records the programs that call getrandom(2); `program` returns the index of the program in a thread.

    Calls with GRND_NONBLOCK or GRND_INSECURE do not count: the C library and interpreters seed allocators and hash
    tables with them at every start.  The 16 random bytes of every program (AT_RANDOM, see getauxval(3)) are unnoticed.
    """

    rules = (Rule("getrandom", (Condition(2, "in", (0, _GRND_RANDOM)),)),)

    def __init__(self, program: Callable[[int], int]) -> None:
        self._program = program
        self.found: dict[int, None] = {}

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        self.found[self._program(notification.thread)] = None
        listener.answer(notification, flags=CONTINUE)
