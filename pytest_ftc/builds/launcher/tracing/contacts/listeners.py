"""Finding out whether a process of the build listens at an address, or another one."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Iterator

_LISTENS, _UDP_BOUND = "0A", "07"
_LOOPBACK = ("127.", "::ffff:127.")
_ALONE = ("::1", "::", "0.0.0.0")  # connecting to "any" leads to this machine itself, see ip(7)
_NO_PORT = 9
"""The "discard" service: connecting a datagram socket sends nothing, whatever the port."""


class Listeners:
    """The sockets in the network namespace of a thread, as listed in /proc/PID/net.

    With `namespace`, all processes except this one belong to the build, otherwise its descendants do.
    """

    def __init__(self, *, namespace: bool) -> None:
        self._namespace = namespace

    def is_outside(self, thread: int, abstract: str) -> bool:
        """Return whether a process outside the build owns the socket with this `abstract` name."""
        found = [inode for name, inode in _local(thread) if name == abstract]
        return bool(found) and not self._are_ours(found)

    def owns(self, thread: int, path: str) -> bool:
        """Return whether a process of the build has bound a socket to `path`, possibly by a relative name."""
        base = os.path.basename(path)
        found = [inode for name, inode in _local(thread) if not name.startswith("@") and os.path.basename(name) == base]
        return bool(found) and self._are_ours(found)

    def is_network_outside(self, thread: int, host: str, port: int) -> bool:
        """Return whether a process outside the build can be reached at this address."""
        found = list(_bound(thread, host, port))
        if found:
            return not self._are_ours(found)
        return not host.startswith(_LOOPBACK) and host not in _ALONE and _has_route(host)

    def _are_ours(self, inodes: list[str]) -> bool:
        wanted = {f"socket:[{inode}]" for inode in inodes}
        for pid in self._processes():
            with contextlib.suppress(OSError):
                for name in os.listdir(f"/proc/{pid}/fd"):
                    with contextlib.suppress(OSError):
                        wanted.discard(os.readlink(f"/proc/{pid}/fd/{name}"))
            if not wanted:
                return True
        return False

    def _processes(self) -> list[int]:
        from pytest_ftc.builds.launcher.processes import living

        return living(self._namespace)


def _local(thread: int) -> Iterator[tuple[str, str]]:
    """Yield name and inode of Unix domain sockets, see /proc/net/unix in proc_pid_net(5)."""
    with open(f"/proc/{thread}/net/unix", errors="surrogateescape") as lines:
        for line in lines:
            fields = line.rstrip("\n").split(maxsplit=7)
            if len(fields) == 8:
                yield fields[7], fields[6]


def _bound(thread: int, host: str, port: int) -> Iterator[str]:
    """Yield the inodes of sockets that receive data sent to this address."""
    places = _in_hexadecimal(host)
    for kind, state in (("tcp", _LISTENS), ("tcp6", _LISTENS), ("udp", _UDP_BOUND), ("udp6", _UDP_BOUND)):
        with contextlib.suppress(OSError), open(f"/proc/{thread}/net/{kind}") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                address, _, number = fields[1].partition(":")
                known = not address.strip("0") or address in places
                if known and int(number, 16) == port and fields[3] == state:
                    yield fields[9]


def _in_hexadecimal(host: str) -> set[str]:
    """Return an address in the format of these files: 32-bit words in the processor's byte order; "any" is 0."""
    import socket

    if ":" not in host:
        four = _words(socket.inet_aton(host))
        found = {four, _words(b"\0\0\0\0\0\0\0\0\0\0\xff\xff") + four}
        return {*found, _words(b"\x7f\0\0\x01")} if host == "0.0.0.0" else found
    words = _words(socket.inet_pton(socket.AF_INET6, host))
    last = {words[24:]} if host.startswith("::ffff:") else set()
    return {words, *last, *({_words(bytes(15) + b"\x01")} if host == "::" else ())}


def _words(address: bytes) -> str:
    return "".join(f"{word:08X}" for (word,) in struct.iter_unpack("=I", address))


def _has_route(host: str) -> bool:
    """Return whether packets to `host` would leave this machine; none is sent."""
    import socket

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((host, _NO_PORT))
    except OSError:
        return False
    return True
