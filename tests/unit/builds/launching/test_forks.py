"""Launchers that are forked from one process, with a spec that is none: they end at once, and say why."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from pytest_ftc.builds.launching.forks import Forked, Forks
from pytest_ftc.builds.launching.spec import open_in_memory


@pytest.fixture
def forks():
    made = Forks()
    yield made
    made.close()


def launch(forks: Forks, folder: Path, data: bytes = b"{}") -> Forked:
    with open_in_memory(data) as spec, open(folder / "errors", "wb") as errors:
        return forks.launch(folder, spec.fileno(), errors.fileno())


def test_a_launcher_tells_its_process_and_exit_status_and_writes_to_its_own_descriptors(forks, tmp_path):
    launched = [launch(forks, folder) for folder in (tmp_path / "a", tmp_path / "b") if not folder.mkdir()]
    assert len({one.pid for one in launched}) == 2
    assert [one.wait(10) for one in launched] == [1, 1]
    assert [one.poll() for one in launched] == [1, 1]
    assert "KeyError: 'clock_stop'" in (tmp_path / "a/errors").read_text()
    assert launched[0].stdout.read() == b""
    for one in launched:
        one.close()


def test_nobody_who_waits_for_children_has_to_wait_for_what_forks(forks, tmp_path):
    launched = launch(forks, tmp_path)
    assert launched.wait(10) == 1
    launched.close()
    # Not any child: what ran before in this process may have left one.
    for process in (forks._pid, launched.pid):
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)


def test_several_threads_may_wait_and_a_wait_may_end_before(forks, tmp_path):
    reading, writing = os.pipe()
    with open(tmp_path / "errors", "wb") as errors:
        # The spec is read until its end, which does not come yet.
        waiting = forks.launch(tmp_path, reading, errors.fileno())
    os.close(reading)
    assert waiting.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.1)
    command = Path(f"/proc/{waiting.pid}/cmdline").read_bytes().rstrip(b"\0").split(b"\0")
    assert command[-2:] == [b"pytest_ftc.builds.launcher", os.fsencode(tmp_path)]
    assert not any("socket" in os.readlink(one) for one in Path(f"/proc/{waiting.pid}/fd").iterdir())
    waiting.kill()
    assert waiting.wait(10) == -signal.SIGKILL
    waiting.close()
    os.close(writing)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_where_the_process_that_forks_is_killed_or_stopped_nothing_waits_for_ever(forks, tmp_path, how):
    reading, writing = os.pipe()
    with open(tmp_path / "errors", "wb") as errors:
        waiting = forks.launch(tmp_path, reading, errors.fileno())
    os.close(reading)
    os.kill(forks._pid, how)
    begin = time.monotonic()
    assert waiting.wait(10) == -9
    # Nothing of it is left then.
    shown = Path(f"/proc/{waiting.pid}/cmdline")
    assert not (shown.exists() and shown.read_bytes())
    with pytest.raises(OSError, match=r"^$|pipe|ended|reset"):
        launch(forks, tmp_path)
    assert time.monotonic() - begin < 8
    assert forks.has_ended
    os.close(writing)


def test_a_launch_that_fails_for_want_of_descriptors_leaves_the_others_alone(forks, tmp_path, monkeypatch):
    reading, writing = os.pipe()
    with open(tmp_path / "errors", "wb") as errors:
        running = forks.launch(tmp_path, reading, errors.fileno())
    os.close(reading)
    with monkeypatch.context() as patched, pytest.raises(OSError, match="Too many"):
        patched.setattr(socket, "send_fds", lambda *_: (_ for _ in ()).throw(OSError(24, "Too many open files")))
        launch(forks, tmp_path)
    assert not forks.has_ended
    assert running.poll() is None
    again = launch(forks, tmp_path)
    assert again.wait(10) == 1
    for one in (running, again):
        one.kill()
        one.wait(10)
        one.close()
    os.close(writing)


def test_a_process_that_cannot_load_the_launcher_is_noticed(monkeypatch, tmp_path):
    monkeypatch.setattr("pytest_ftc.builds.launching.forks.command_to_serve", lambda: ["/bin/false"])
    broken = Forks()
    with pytest.raises(OSError, match="has ended"):
        launch(broken, tmp_path)
    broken.close()
