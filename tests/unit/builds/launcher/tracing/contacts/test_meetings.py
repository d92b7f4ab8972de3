"""What counts as met outside, and what as the build's own."""

import ctypes
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pytest_ftc.builds.launcher.tracing.contacts import meetings
from pytest_ftc.builds.launcher.tracing.contacts.meetings import Meetings
from pytest_ftc.builds.launcher.tracing.contacts.peers import Peers, name_program
from pytest_ftc.builds.launcher.tracing.memory import AT_FDCWD
from pytest_ftc.builds.launcher.tracing.seccomp import CONTINUE, Notification

ME = os.getpid()


class Listener:
    def answer(self, _: Notification, value: int = 0, *, error: int = 0, flags: int = 0) -> None:
        assert (value, error, flags) == (0, 0, CONTINUE)


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, Any]:
    folders = {name: str(tmp_path / name) for name in ("build_path", "home", "temp_dir")}
    for folder in folders.values():
        Path(folder).mkdir()
    return {**folders, "isolation": "none", "passed_sockets": []}


def found(spec: dict[str, Any], *calls: tuple[str, tuple[int, ...]], opened: tuple[Path, ...] = ()) -> list[str]:
    peers = Peers(spec, lambda _: 0)
    watcher = Meetings(spec, peers)
    for call, arguments in calls:
        watcher.saw_call(Notification(1, ME, call, 0, (*arguments, *(0,) * (6 - len(arguments)))), Listener())
    for path in opened:
        watcher.opened(str(path), os.O_RDONLY, ME)
    assert all(name == name_program(ME) for name, _ in peers.outside)
    return [address for _, address in peers.outside]


def test_pipes_outside_are_met_and_other_files_are_not(spec, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    os.mkfifo(tmp_path / "home/pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "file").write_text("")
    paths = [tmp_path / name for name in ("pipe", "link", "home/pipe", "file", "nothing")]
    assert found(spec, opened=(*paths, Path("/dev/null"), Path("/dev/fd/0"))) == [f"pipe:{tmp_path}/pipe"]


def test_devices_are_met_unless_every_program_uses_them(spec, tmp_path, monkeypatch):
    (tmp_path / "random").symlink_to("/dev/urandom")
    opened = (tmp_path / "random", Path("/dev/zero"), Path("/dev/ptmx"))
    assert found(spec, opened=opened) == []
    monkeypatch.setattr(meetings, "_USUAL", frozenset({"/dev/zero"}))
    assert found(spec, opened=opened)[0] == "device:/dev/urandom"


@pytest.mark.parametrize("call", ["mknod", "mknodat"])
def test_a_pipe_that_the_build_makes_is_its_own_wherever_it_lies(spec, tmp_path, call):
    name = ctypes.create_string_buffer(os.fsencode(tmp_path / "pipe"))
    address = ctypes.addressof(name)
    os.mkfifo(tmp_path / "pipe")
    arguments = (address, stat.S_IFIFO) if call == "mknod" else (AT_FDCWD, address, stat.S_IFIFO)
    assert found(spec, (call, arguments), opened=(tmp_path / "pipe",)) == []


@pytest.mark.parametrize("call", ["flock", "fcntl", "fcntl64"])
def test_locks_outside_are_met(spec, tmp_path, call):
    (tmp_path / "lock").write_text("")
    (tmp_path / "home/lock").write_text("")
    with (
        (tmp_path / "lock").open() as outside,
        (tmp_path / "home/lock").open() as own,
        Path("/etc/passwd").open() as file,
    ):
        calls = [(call, (one.fileno(), 6)) for one in (outside, own, file)]
        assert found(spec, *calls, (call, (9999, 6))) == [f"lock:{tmp_path}/lock"]
