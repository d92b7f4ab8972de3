"""Programs that request real times which are not moved: of packets and of System V IPC objects."""

from __future__ import annotations

from pytest_ftc.builds.launcher.tracing.memory import executable_name
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_SOL_SOCKET = 1
# SO_TIMESTAMP, _TIMESTAMPNS and _TIMESTAMPING, and the same with 64-bit times, see <asm-generic/socket.h>.
_STAMPS = (29, 35, 37, 63, 64, 65)
# SIOCGSTAMP and SIOCGSTAMPNS of socket(7), and the same with 64-bit times, see <linux/sockios.h>.
_ASK_STAMP = (0x8906, 0x8907, 0x80108906, 0x80108907)
_IPC_64 = 0x100
"""A flag that old C libraries add to a command, see <linux/ipc.h>."""


def _commands(*numbers: int) -> tuple[int, ...]:
    return tuple(number | flag for number in numbers for flag in (0, _IPC_64))


_NETWORK, _SYSTEM_V = "the real time of a packet", "the real times of a System V object"
_ASKED = {
    "setsockopt": _NETWORK, "ioctl": _NETWORK, "shmctl": _SYSTEM_V, "msgctl": _SYSTEM_V, "semctl": _SYSTEM_V,
    "ipc": _SYSTEM_V,
}  # fmt: skip


class TimeStamps(Watcher):
    """Records the first program that requests a real time."""

    rules = (
        Rule("setsockopt", (Condition(1, "in", (_SOL_SOCKET,)), Condition(2, "in", _STAMPS))),
        Rule("ioctl", (Condition(1, "in", _ASK_STAMP),)),
        # IPC_STAT and SHM_STAT, SHM_STAT_ANY and their like, see shmctl(2).
        Rule("shmctl", (Condition(1, "in", _commands(2, 13, 15)),)),
        Rule("msgctl", (Condition(1, "in", _commands(2, 11, 13)),)),
        Rule("semctl", (Condition(2, "in", _commands(2, 18, 20)),)),
        # SEMCTL, MSGCTL and SHMCTL with any command, see ipc(2); 32-bit programs have one call for all.
        Rule("ipc", (Condition(0, "in", (3, 14, 24)),)),
    )

    def __init__(self) -> None:
        self.evaded: dict[str, str] = {}
        """``time``, with the reason why it does not count."""

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        name = executable_name(notification.thread)
        reason = f"{name} asks by {notification.call}(2) for {_ASKED[notification.call]}"
        self.evaded.setdefault("time", reason)
        listener.answer(notification, flags=CONTINUE)
