"""Real processes in real user namespaces, also nested ones, are found and killed; no others are."""

import contextlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from pytest_ftc.builds.launcher.supervisors import NAMESPACE, identify_namespace
from pytest_ftc.builds.namespace_sweep import kill_namespace


def wait_for_namespace(process):
    """Return the user namespace of `process`, once it is the sleep that it was started for."""
    deadline = time.monotonic() + 20
    while Path(f"/proc/{process.pid}/comm").read_text() != "sleep\n":
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    return identify_namespace(str(process.pid))


@pytest.fixture
def start():
    processes = []

    def start(*command):
        processes.append(subprocess.Popen(command, env={"PATH": os.defpath}, start_new_session=True))
        return processes[-1]

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)  # with what it started
        process.wait()


def test_all_in_the_namespace_and_below_it_are_killed_and_no_others(start, tmp_path):
    outside = start("sleep", "600")
    first = start("unshare", "-Ur", "sleep", "600")
    other = start("unshare", "-U", "sleep", "600")
    device, inode = wait_for_namespace(first)
    wait_for_namespace(other)
    enter = ("nsenter", f"--user=/proc/{first.pid}/ns/user", "--preserve-credentials")
    nested = start(*enter, "unshare", "-U", "sleep", "600")
    assert wait_for_namespace(nested) not in ((device, inode), identify_namespace("self"))
    (tmp_path / NAMESPACE).write_text(f"{device} {inode}")
    kill_namespace(tmp_path)
    assert (first.wait(10), nested.wait(10)) == (-9, -9)
    assert (outside.poll(), other.poll()) == (None, None)


def test_a_launcher_is_known_by_its_work_folder(start, tmp_path):
    launcher = start("sh", "-c", "sleep 600; :", str(tmp_path))
    other = start("sh", "-c", "sleep 600; :", f"{tmp_path}-2")
    (tmp_path / NAMESPACE).write_text("0 0")
    kill_namespace(tmp_path)
    assert launcher.wait(10) == -9
    assert other.poll() is None


@pytest.mark.parametrize("noted", [None, "", "1", "a b", "1 2 3"])
def test_without_a_note_nothing_is_killed(start, tmp_path, noted):
    launcher = start("sh", "-c", "sleep 600; :", str(tmp_path))
    if noted is not None:
        (tmp_path / NAMESPACE).write_text(noted)
    kill_namespace(tmp_path)
    assert launcher.poll() is None
