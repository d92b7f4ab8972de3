"""Waiting for a launcher."""

import os
import signal
import subprocess
import time

from pytest_ftc.builds.launching.await_end import await_end
from pytest_ftc.builds.launching.stopped import is_stopped


def start(script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE)


def test_the_time_of_the_start_is_reported_once():
    seen: list[float] = []
    with start("printf 'start'; sleep 0.2; printf 'ed 12.5\\n'; sleep 0.2; printf 'started 13.5\\n'") as process:
        await_end(process, process.stdout, seen.append)
    assert seen == [12.5]


def test_a_launcher_that_ends_at_once_has_not_started_a_build():
    seen: list[float] = []
    with start("printf 'ready\\n'") as process:
        await_end(process, process.stdout, seen.append)
    assert seen == []


def test_one_that_is_stopped_is_killed():
    with start("kill -STOP $$; sleep 60") as process:
        began = time.monotonic()
        await_end(process, process.stdout, lambda _: None)
        assert process.wait() == -signal.SIGKILL
        assert time.monotonic() - began < 30
    assert not is_stopped(os.getpid())
    assert not is_stopped(2**22 + 1)
