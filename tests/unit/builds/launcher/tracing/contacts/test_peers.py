"""The addresses that system calls name."""

import ctypes
import os
import socket
import struct

import pytest

from pytest_ftc.builds.launcher.tracing.contacts.peers import Peers
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Notification

PORTS = (1001, 1002)


class Listener:
    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        assert (value, error, flags) == (0, 0, CONTINUE)


def address(port: int) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(
        struct.pack("=H", socket.AF_INET) + struct.pack(">H4s8x", port, b"\x7f\0\0\1"), 16
    )


@pytest.mark.parametrize(("call", "count"), [("connect", 1), ("sendto", 1), ("sendmsg", 1), ("sendmmsg", 2)])
def test_each_call_with_an_address_is_seen(call, count):
    addresses = [address(port) for port in PORTS]
    # struct mmsghdr of a 64-bit program: the address, its size, and 52 bytes that do not matter here.
    messages = ctypes.create_string_buffer(
        b"".join(struct.pack("=QI52x", ctypes.addressof(one), 16) for one in addresses), 128
    )
    arguments = {
        "connect": (3, ctypes.addressof(addresses[0]), 16, 0, 0, 0),
        "sendto": (3, 0, 0, 0, ctypes.addressof(addresses[0]), 16),
        "sendmsg": (3, ctypes.addressof(messages), 0, 0, 0, 0),
        "sendmmsg": (3, ctypes.addressof(messages), 2, 0, 0, 0),
    }[call]
    spec = {"isolation": "none", "passed_sockets": []}
    peers = Peers(spec, lambda _: 7)
    peers.saw_call(Notification(1, os.getpid(), call, 0, arguments), Listener())
    assert list(peers.connected) == [(7, f"127.0.0.1:{port}") for port in PORTS[:count]]
