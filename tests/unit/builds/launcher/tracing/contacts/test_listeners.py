"""Whose sockets listen, with real ones."""

import os
import socket
import subprocess
import sys

import pytest

from pytest_ftc.builds.launcher.tracing.contacts.listeners import Listeners

OUTSIDE = Listeners(namespace=False)
"""Only children of this process count as the build."""

LISTEN = """
import socket, sys
family, address = eval(sys.argv[1]), eval(sys.argv[2])
s = socket.socket(family); s.bind(address); s.listen()
print(repr(s.getsockname()), flush=True); sys.stdin.read()
"""


@pytest.fixture
def child():
    """Start a process that listens; return its address."""
    running = []

    def start(family: str, address: object):
        command = [sys.executable, "-c", LISTEN, f"socket.{family}", repr(address)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout
        return eval(process.stdout.readline())

    yield start
    for process in running:
        process.communicate("")


@pytest.mark.parametrize(
    ("family", "bound", "asked"),
    [
        ("AF_INET", "127.0.0.1", "127.0.0.1"),
        ("AF_INET", "0.0.0.0", "127.0.0.3"),
        ("AF_INET", "127.0.0.1", "0.0.0.0"),
        ("AF_INET", "127.0.0.1", "::ffff:127.0.0.1"),
        ("AF_INET6", "::1", "::1"),
        ("AF_INET6", "::", "::1"),
        ("AF_INET6", "::", "127.0.0.1"),
        ("AF_INET6", "::1", "::"),
    ],
)
def test_a_listener_is_found_by_each_address_that_leads_to_it(child, family, bound, asked):
    with socket.socket(getattr(socket, family)) as own:
        own.bind((bound, 0))
        own.listen()
        port = own.getsockname()[1]
        assert OUTSIDE.is_network_outside(os.getpid(), asked, port)
    assert not OUTSIDE.is_network_outside(os.getpid(), asked, port), "nobody listens any more"
    port = child(family, (bound, 0))[1]
    assert not OUTSIDE.is_network_outside(os.getpid(), asked, port), "a child is of the build"


def test_a_listener_at_another_address_of_this_machine_is_another_one(child):
    port = child("AF_INET", ("127.0.0.2", 0))[1]
    with socket.socket() as own:
        own.bind(("127.0.0.1", port))
        own.listen()
        assert OUTSIDE.is_network_outside(os.getpid(), "127.0.0.1", port)
        assert not OUTSIDE.is_network_outside(os.getpid(), "127.0.0.2", port)


def test_abstract_names(child):
    name = f"\0ftc-listeners-{os.getpid()}"
    child("AF_UNIX", f"{name}-child")
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(name)
        own.listen()
        assert OUTSIDE.is_outside(os.getpid(), f"@{name[1:]}")
    assert not OUTSIDE.is_outside(os.getpid(), f"@{name[1:]}")
    assert not OUTSIDE.is_outside(os.getpid(), f"@{name[1:]}-child")


def test_paths(child, tmp_path):
    child("AF_UNIX", str(tmp_path / "child"))
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(str(tmp_path / "own"))
        own.listen()
        assert not OUTSIDE.owns(os.getpid(), str(tmp_path / "own"))
    assert OUTSIDE.owns(os.getpid(), str(tmp_path / "child"))
