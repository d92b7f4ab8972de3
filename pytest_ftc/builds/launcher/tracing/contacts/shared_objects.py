"""Objects of the kernel that builds share where there are no namespaces, and in which one may leave something."""

from __future__ import annotations

import contextlib
import os

from pytest_ftc.builds.launcher.tracing.memory import peek
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_BY_KEY = (Condition(0, "nonzero"),)
"""With IPC_PRIVATE, which is 0, an object is new, see shmget(2)."""
# KEY_SPEC_USER_KEYRING and KEY_SPEC_USER_SESSION_KEYRING, see keyrings(7).
_OF_THE_USER = (0xFFFFFFFC, 0xFFFFFFFB)
_NAMES = {
    "shmget": "System V shared memory",
    "semget": "System V semaphores",
    "msgget": "a System V message queue",
    "add_key": "the user keyring",
    "keyctl": "the user keyring",
    "request_key": "the user keyring",
}
_LONGEST_NAME = 256


class SharedObjects(Watcher):
    """Records which of them a build uses."""

    rules = (
        Rule("shmget", _BY_KEY),
        Rule("semget", _BY_KEY),
        Rule("msgget", _BY_KEY),
        Rule("mq_open"),
        Rule("add_key", (Condition(4, "in", _OF_THE_USER),)),
        Rule("keyctl", (Condition(1, "in", _OF_THE_USER),)),
        Rule("keyctl", (Condition(2, "in", _OF_THE_USER),)),
        Rule("request_key", (Condition(3, "in", _OF_THE_USER),)),
    )

    def __init__(self) -> None:
        self.used: dict[str, None] = {}

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if notification.call == "mq_open":
            # The thread may have died, or its arguments may be invalid: the kernel then reports that to it.
            with contextlib.suppress(OSError):
                name = peek(notification, notification.arguments[0], _LONGEST_NAME).partition(b"\0")[0]
                self.used[f"the POSIX message queue /{os.fsdecode(name)}"] = None
        else:
            self.used[_NAMES[notification.call]] = None
        listener.answer(notification, flags=CONTINUE)
