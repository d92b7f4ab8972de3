"""Slots for builds, shared by threads and by processes."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from pytest_ftc.builds import slots as module
from pytest_ftc.builds.slots import Slots, available_memory

HOLDER = """
import os, sys, time
from pathlib import Path
from pytest_ftc.builds.slots import Slots
os.cpu_count = lambda: 2
with Slots(2, Path(sys.argv[1])).taken(lambda: False) as slot:
    log = Path(sys.argv[2])
    with log.open("a") as file: file.write("+")
    time.sleep(float(sys.argv[3]))
    with log.open("a") as file: file.write("-")
"""


def never():
    return False


@pytest.fixture(autouse=True)
def _two_cpus(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


def hold(folder, log, seconds):
    return subprocess.Popen([sys.executable, "-c", HOLDER, folder, log, str(seconds)])


def most_at_once(marks):
    running = most = 0
    for mark in marks:
        running += 1 if mark == "+" else -1
        most = max(most, running)
    return most


def test_processes_share_as_many_slots_as_there_are_cpus(tmp_path):
    log = tmp_path / "log"
    processes = [hold(tmp_path / "slots", log, 0.3) for _ in range(6)]
    assert [process.wait(60) for process in processes] == [0] * 6
    marks = log.read_text()
    assert (marks.count("+"), marks.count("-")) == (6, 6)
    assert most_at_once(marks) <= 2


def test_the_slot_of_a_killed_holder_is_free_at_once(tmp_path):
    log = tmp_path / "log"
    processes = [hold(tmp_path / "slots", log, 1000) for _ in range(2)]
    deadline = time.monotonic() + 30
    while (not log.exists() or len(log.read_text()) < 2) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in processes:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Slots(2, tmp_path / "slots").taken(lambda: time.monotonic() > deadline) as slot:
        assert slot


def test_one_session_holds_no_more_than_its_jobs(tmp_path):
    slots, marks, lock = Slots(1, tmp_path / "slots"), [], threading.Lock()

    def build():
        with slots.taken(never):
            with lock:
                marks.append("+")
            time.sleep(0.02)
            with lock:
                marks.append("-")

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(marks), most_at_once(marks)) == (16, 1)


def test_more_jobs_than_cpus_are_allowed_to_who_asks_for_them(tmp_path):
    slots = Slots(4, tmp_path / "slots")
    with slots.taken(never), slots.taken(never), slots.taken(never), slots.taken(never) as fourth:
        assert fourth


def test_who_waits_longest_comes_next_and_what_is_critical_first(tmp_path):
    slots, order = Slots(1, tmp_path / "slots"), []

    def build(name, first):
        with slots.taken(never, first=first):
            order.append(name)

    threads = []
    with slots.taken(never):
        for name, first in (("a", False), ("b", False), ("critical", True)):
            threads.append(threading.Thread(target=build, args=(name, first)))
            threads[-1].start()
            while len(slots._waiting) < len(threads):
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == ["critical", "a", "b"]


def test_a_disk_that_is_nearly_full_lets_builds_run_one_after_the_other(tmp_path):
    (tmp_path / "disk").mkdir()
    code = f"""
    import os
    from pathlib import Path
    from pytest_ftc.builds.slots import Slots, is_full
    disk = Path({str(tmp_path / "disk")!r})
    assert not is_full(disk)
    (disk / "much").write_bytes(bytes(4_100_000))
    assert is_full(disk)
    slots, asked = Slots(2, None, disk), iter([False] * 5 + [True] * 99)
    with slots.taken(lambda: False) as first, slots.taken(lambda: next(asked)) as second:
        assert (first, second) == (True, False)
    (disk / "much").unlink()
    with slots.taken(lambda: False) as first, slots.taken(lambda: False) as second:
        assert first and second
    """
    script = textwrap.dedent(code)
    mount = f'mount -t tmpfs -o size=4m none {tmp_path / "disk"}; exec "$@"'
    subprocess.run(["unshare", "-Urm", "sh", "-c", mount, "sh", sys.executable, "-c", script], check=True)


def test_waiting_ends_when_the_session_is_cancelled(tmp_path):
    slots, cancelled, got = Slots(1, tmp_path / "slots"), threading.Event(), []

    def wait():
        with slots.taken(cancelled.is_set) as slot:
            got.append(slot)

    with slots.taken(never):
        thread = threading.Thread(target=wait)
        thread.start()
        cancelled.set()
        thread.join(20)
        assert got == [False]
    with slots.taken(never) as slot:
        assert slot


def test_without_a_folder_that_can_be_used_a_session_still_has_its_own_limit(tmp_path):
    (tmp_path / "file").write_text("")
    with Slots(1, tmp_path / "file" / "slots").taken(never) as slot:
        assert slot


def test_a_folder_that_goes_away_stops_nobody(tmp_path):
    slots = Slots(1, tmp_path / "slots")
    for file in (tmp_path / "slots").iterdir():
        file.unlink()
    (tmp_path / "slots").rmdir()
    with slots.taken(never) as slot:
        assert slot


def test_no_build_begins_beside_others_when_memory_is_short(tmp_path, monkeypatch):
    assert available_memory() > 1 << 20
    slots = Slots(2, tmp_path / "slots")
    deadline = time.monotonic() + 0.3
    monkeypatch.setattr(module, "available_memory", lambda: 1 << 20)
    with slots.taken(never) as alone:
        assert alone
        with slots.taken(lambda: time.monotonic() > deadline) as beside:
            assert not beside


def test_a_session_with_many_builds_does_not_keep_another_from_its_turn(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    greedy, modest, order, lock = Slots(1, tmp_path / "slots"), Slots(1, tmp_path / "slots"), [], threading.Lock()

    def build(slots, name):
        with slots.taken(never):
            with lock:
                order.append(name)
            time.sleep(0.03)

    threads = [threading.Thread(target=build, args=(greedy, "greedy")) for _ in range(60)]
    threads += [threading.Thread(target=build, args=(modest, "modest")) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [name for name in order if name == "modest"] == ["modest"] * 6
    assert max(index for index, name in enumerate(order) if name == "modest") < 60


def test_a_process_that_was_forked_meanwhile_keeps_no_slot(tmp_path):
    slots = Slots(2, tmp_path)
    with slots.taken(never), slots.taken(never):
        child = os.fork()
        if not child:
            time.sleep(60)
            os._exit(0)
    try:
        end = time.monotonic() + 5
        with slots.taken(lambda: time.monotonic() > end) as slot:
            assert slot
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_it_is_known_that_others_hold_the_slots(tmp_path):
    own, other = Slots(2, tmp_path / "slots"), Slots(2, tmp_path / "slots")
    ended = threading.Event()

    def wait() -> None:
        with own.taken(ended.is_set):
            pass

    with other.taken(never), other.taken(never):
        assert not own.held_by_others
        thread = threading.Thread(target=wait)
        thread.start()
        end = time.monotonic() + 30
        while not own.held_by_others and time.monotonic() < end:
            time.sleep(0.01)
        assert own.held_by_others
    thread.join()
    assert not own.held_by_others


def test_own_builds_are_not_others(tmp_path):
    slots, ended = Slots(2, tmp_path / "slots"), threading.Event()
    thread = threading.Thread(target=lambda: slots.taken(ended.is_set).__enter__())
    with slots.taken(never), slots.taken(never):
        thread.start()
        time.sleep(0.2)
        assert not slots.held_by_others
        ended.set()
        thread.join()
