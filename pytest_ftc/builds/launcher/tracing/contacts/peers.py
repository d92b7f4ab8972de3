"""Recording the peers of a build: a process outside could answer with anything, and no variation affects it.

The addresses of `connect`, `sendto`, `sendmsg` and `sendmmsg` are examined when the call is made.  A peer is inside if
a process of the build owns the listening socket; with namespaces, also if its file is in a folder that only the build
sees.
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from collections.abc import Callable, Iterator
from typing import Any

from pytest_ftc.builds.launcher.processes import in_pid_namespace
from pytest_ftc.builds.launcher.tracing.contacts.listeners import Listeners
from pytest_ftc.builds.launcher.tracing.memory import peek
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Condition, Listener, Notification, Rule
from pytest_ftc.builds.launcher.tracing.watcher import Watcher

_AF_UNIX, _AF_INET, _AF_INET6, _AF_VSOCK = 1, 2, 10, 40
_LONGEST_ADDRESS = 128
_ENOSYS = 38
_NAME_SERVER = 53
_SOCKETCALL_WITH_ADDRESS = {3: "connect", 11: "sendto", 16: "sendmsg", 20: "sendmmsg"}
"""See socketcall(2) and <linux/net.h>."""
_MOST_MESSAGES = 64
_MOST = 1000
_NAME_SERVICES = (
    "/run/dbus/", "/run/nscd/", "/run/systemd/", "/run/sssd/", "/var/lib/sss/", "/run/avahi-daemon/", "/dev/log",
    "/run/winbindd/",
)  # fmt: skip
"""Sockets of name services and of syslog, which the C library uses implicitly."""


class Peers(Watcher):
    """Records the addresses that programs try, and the peers outside the build that they reach.

    `program` returns index and name of the program in a thread.
    """

    rules = (
        Rule("connect"),
        Rule("sendto", (Condition(4, "nonzero"),)),
        Rule("sendmsg"),
        Rule("sendmmsg"),
        Rule("socketcall", (Condition(0, "in", tuple(_SOCKETCALL_WITH_ADDRESS)),)),
        # Calls through io_uring(7) would be invisible.  Programs fall back to ordinary calls.
        Rule("io_uring_setup"),
    )

    def __init__(self, spec: dict[str, Any], program: Callable[[int], int]) -> None:
        self._program = program
        self._private = own_folders(spec)
        self._passed = {tuple(one) for one in spec["passed_sockets"]}
        self._listeners = Listeners(namespace=in_pid_namespace(spec))
        self.connected: dict[tuple[int, str], None] = {}
        """Network addresses that programs tried, with the index of the program."""
        self.outside: dict[tuple[str, str], None] = {}
        """Program and address of each peer outside the build that was reached."""
        self.covered: dict[tuple[str, str], None] = {}
        """The same for sockets that are hidden from builds."""

    def saw_call(self, notification: Notification, listener: Listener) -> None:
        if notification.call == "io_uring_setup":
            listener.answer(notification, error=_ENOSYS)
            return
        # The thread may have died, or its arguments may be invalid; the kernel will report that.
        with contextlib.suppress(OSError, struct.error, ValueError):
            for address, size in _addresses(notification):
                self._look_at(notification.thread, peek(notification, address, min(size, _LONGEST_ADDRESS)))
        listener.answer(notification, flags=CONTINUE)

    def _look_at(self, thread: int, address: bytes) -> None:
        family = struct.unpack_from("=H", address)[0]
        if len(self.connected) + len(self.outside) + len(self.covered) >= _MOST:
            return
        if family == _AF_UNIX and len(address) > 2:
            self._look_at_local(thread, address[2:])
        elif family in (_AF_INET, _AF_INET6):
            self._look_at_network(thread, family, address)
        elif family == _AF_VSOCK:
            port, host = struct.unpack_from("=II", address, 4)
            self._note(self.outside, thread, f"vsock:{host}:{port}")

    def _look_at_local(self, thread: int, name: bytes) -> None:
        if name[:1] == b"\0":
            shown = "@" + name[1:].decode("utf-8", "replace").replace("\0", "@")
            if self._listeners.is_outside(thread, shown):
                self._note(self.outside, thread, shown)
            return
        path = _absolute(thread, os.fsdecode(name.partition(b"\0")[0]))
        status = os.stat(path)
        real = os.path.realpath(path)
        if real.startswith(_NAME_SERVICES):
            return
        if stat.S_ISREG(status.st_mode):
            self._note(self.covered, thread, real)
        elif stat.S_ISSOCK(status.st_mode) and not self._is_inside(thread, real, status):
            self._note(self.outside, thread, real)

    def _is_inside(self, thread: int, path: str, status: os.stat_result) -> bool:
        if (status.st_dev, status.st_ino) in self._passed:
            return False
        if self._private:
            return path.startswith(self._private)
        return self._listeners.owns(thread, path)

    def _look_at_network(self, thread: int, family: int, address: bytes) -> None:
        import socket  # slow to import, and few builds connect to anything

        port = struct.unpack_from(">H", address, 2)[0]
        host = address[4:8] if family == _AF_INET else address[8:24]
        name = socket.inet_ntop(socket.AF_INET if family == _AF_INET else socket.AF_INET6, host)
        shown = f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
        self.connected[self._program(thread), shown] = None
        # getaddrinfo(3) connects to port 0 to learn the local address.
        if port not in (0, _NAME_SERVER) and self._listeners.is_network_outside(thread, name, port):
            self._note(self.outside, thread, shown)

    def _note(self, where: dict[tuple[str, str], None], thread: int, address: str) -> None:
        where[name_program(thread), address] = None


def own_folders(spec: dict[str, Any]) -> tuple[str, ...]:
    """Return the folders that no other process sees; none without namespaces."""
    if spec["isolation"] == "none":
        return ()
    own = ("/tmp", "/var/tmp", "/dev/shm", spec["build_path"], spec["home"], spec["temp_dir"])
    return tuple(folder.rstrip("/") + "/" for folder in own)


def _addresses(call: Notification) -> Iterator[tuple[int, int]]:
    """Yield memory address and size of each socket address in a call."""
    call_name, first = call.call, call.arguments
    if call_name == "socketcall":
        call_name = _SOCKETCALL_WITH_ADDRESS[first[0]]
        first = struct.unpack("=6I", peek(call, first[1], 24).ljust(24, b"\0"))
    if call_name == "connect":
        yield first[1], first[2]
    elif call_name == "sendto":
        yield first[4], first[5]
    else:
        # struct msghdr begins with the address and its size; struct mmsghdr is one of them and an int, see sendmmsg(2).
        layout, length = ("=QI", 64) if call.native else ("=II", 32)
        count = min(first[2], _MOST_MESSAGES) if call_name == "sendmmsg" else 1
        for number in range(count):
            yield struct.unpack(layout, peek(call, first[1] + length * number, struct.calcsize(layout)))


def _absolute(thread: int, path: str) -> str:
    """Return a path of `thread` as seen by this process: below the thread's root and folder, see proc_pid_root(5)."""
    if not os.path.isabs(path):
        path = os.path.join(os.readlink(f"/proc/{thread}/cwd"), path)
    for alias in ("/proc/self/", "/proc/thread-self/"):
        if path.startswith(alias):
            path = f"/proc/{thread}/" + path[len(alias) :]
    return f"/proc/{thread}/root{path}" if _is_elsewhere(thread) else path


def _is_elsewhere(thread: int) -> bool:
    """Return whether `thread` has another root folder, or other mounts."""
    if os.readlink(f"/proc/{thread}/root") != "/":
        return True
    return os.readlink(f"/proc/{thread}/ns/mnt") != os.readlink("/proc/self/ns/mnt")


def name_program(thread: int) -> str:
    """Return the name under which the program that `thread` runs was started."""
    try:
        with open(f"/proc/{thread}/cmdline", "rb") as file:
            first = os.fsdecode(file.read(4096).partition(b"\0")[0])
        return os.path.basename(first) or os.path.basename(os.readlink(f"/proc/{thread}/exe"))
    except OSError:
        return "a program"
