"""The collector takes what nobody needs and nothing else; a writer that dies at any step does no harm."""

import contextlib
import fcntl
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.model import BuildRecord
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import MissingError, StoreUnavailableError
from pytest_ftc.store import crash_points as faults
from pytest_ftc.store.action_cache import Entry, SealedCache
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.garbage_collection import collect_garbage, take_stats, tidy_up, verify_store
from pytest_ftc.store.history import History

KEY = bytes(32)
DAY = 86400.0
ENTRY = Entry(
    action="", asked={}, facilities="", environment="", builds=2, machine="m", made=0.0, traced=False, diagnose="off",
    verification={},
)  # fmt: skip


class Place:
    def __init__(self, folder: Path) -> None:
        self.store = LocalStore(folder)
        self.cache = SealedCache(self.store, KEY)
        self.history = History(self.store.layout, bytes(32))

    def publish(self, number: int, *contents: bytes) -> str:
        """Put `contents` and an entry that needs them; return the action."""
        with self.store.batch() as batch:
            blobs = tuple(str(batch.put(data)) for data in contents)
        action = Digest.of(b"action %d" % number).hash
        self.cache.put(replace(ENTRY, action=action, blobs=blobs))
        return action

    def age(self, action: str, seconds: float) -> None:
        """Let the entry for `action` look as if it was last used so long ago."""
        moment = time.time() - seconds
        os.utime(self.store.layout.action(action), (moment, moment))

    def leave(self) -> None:
        self.history.close()
        self.store.close()

    def collect(self, max_size: int = 1 << 40, max_age: float = 30 * DAY):
        return collect_garbage(self.store.layout, max_size=max_size, max_age=max_age)

    def stats(self):
        return take_stats(self.store.layout, self.history)

    def settle(self) -> None:
        """Let all that is there be older than a collector that begins now."""
        time.sleep(1.1)


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path / "store")
    yield place
    place.leave()


def test_what_an_entry_needs_stays_and_the_rest_goes(place):
    place.publish(1, b"a", b"b")
    place.store.put(b"nobody's")
    place.leave()
    place.settle()
    removed = place.collect()
    assert (removed.blobs, removed.entries, removed.bytes) == (1, 0, 8)
    assert place.store.get(Digest.of(b"a")) == b"a"


def test_what_a_running_session_has_put_stays(place):
    digest = place.store.put(b"not needed yet")
    place.settle()
    assert place.collect().blobs == 0
    assert place.stats().sessions == 1
    place.store.close()
    assert place.collect().blobs == 1
    assert place.stats().sessions == 0
    assert place.store.missing([digest]) == [digest]


def test_what_was_put_while_it_collects_stays(place):
    place.store.put(b"new")
    place.store.close()
    assert place.collect().blobs == 0


def test_a_lease_whose_holder_was_killed_is_void(place, tmp_path):
    code = f"""
    import os, signal
    from pathlib import Path
    from pytest_ftc.store.cas import LocalStore
    LocalStore(Path({str(place.store.layout.root)!r})).put(b"data")
    os.kill(os.getpid(), signal.SIGKILL)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(code)]).returncode == -signal.SIGKILL
    assert len(os.listdir(place.store.layout.leases)) == 1
    place.settle()
    assert place.collect().blobs == 1
    assert os.listdir(place.store.layout.leases) == []


def test_entries_go_by_age_and_their_outputs_with_them(place):
    old, new = place.publish(1, b"old", b"both"), place.publish(2, b"new", b"both")
    place.age(old, 31 * DAY)
    place.leave()
    place.settle()
    removed = place.collect()
    assert (removed.entries, removed.blobs) == (1, 1)
    assert place.cache.get(old) is None
    assert place.cache.get(new) is not None
    assert place.store.get(Digest.of(b"both")) == b"both"


def test_beyond_a_size_the_longest_unused_go_first(place):
    actions = [place.publish(number, os.urandom(10_000)) for number in range(4)]
    for number, action in enumerate(actions):
        place.age(action, 1000 - number)
    assert place.cache.get(actions[0]) is not None  # used just now
    place.leave()
    place.settle()
    place.collect(max_size=25_000)
    assert [place.cache.get(action) is not None for action in actions] == [True, False, False, True]
    assert place.stats().blob_bytes == 20_000


def test_a_clock_that_was_set_back_makes_nothing_old(place):
    action = place.publish(1, b"a")
    place.age(action, -1000 * DAY)
    place.leave()
    place.settle()
    assert place.collect().entries == 0
    assert place.stats().blobs == 1


def test_verify_puts_aside_what_is_corrupt_and_says_which(place):
    bad, lacking = place.publish(1, b"a"), place.publish(2, b"b")
    place.publish(3, b"c")
    path = Path(place.store.layout.action(bad))
    path.write_bytes(path.read_bytes()[:-1])
    for data, action in ((b"c", None), (b"b", lacking)):
        blob = Path(place.store.layout.blob(Digest.of(data).hash))
        blob.chmod(0o600)
        blob.write_bytes(b"x") if action is None else blob.unlink()
    found = verify_store(place.store.layout, place.history, KEY)
    assert found.corrupt == (Digest.of(b"c").hash,)
    assert found.refused == (bad,)
    assert lacking in found.lacking
    assert (found.blobs, found.entries, found.history) == (2, 3, ())
    again = verify_store(place.store.layout, place.history, KEY)
    assert again.corrupt == again.refused == ()
    assert place.stats().quarantined == 2


def test_verify_with_another_key_refuses_and_moves_nothing(place):
    place.publish(1, b"a")
    place.publish(2, b"b")
    with pytest.raises(StoreUnavailableError, match="no entry of the store .* nothing was changed"):
        verify_store(place.store.layout, place.history, b"another key".ljust(32))
    assert place.stats().quarantined == 0
    assert verify_store(place.store.layout, place.history, KEY).refused == ()


def test_what_a_dead_collector_was_about_to_remove_comes_back(place):
    place.publish(1, b"a")
    place.leave()
    blob = place.store.layout.blob(Digest.of(b"a").hash)
    os.rename(blob, f"{place.store.layout.trash}/{Digest.of(b'a').hash}-0000")
    place.collect()
    assert place.store.get(Digest.of(b"a")) == b"a"


def test_collecting_and_verifying_beside_sessions_that_write_and_read(tmp_path):
    """What a session has put, it gets, whatever collectors do at the same time."""
    root = tmp_path / "store"
    failures: list[BaseException] = []
    ended = threading.Event()

    def session(number: int) -> None:
        try:
            chance = random.Random(number)
            for _ in range(15):
                place = Place(root)
                mine = [b"%d" % chance.randrange(60) for _ in range(8)]
                action = place.publish(chance.randrange(40), *mine)
                for data in mine:
                    assert place.store.get(Digest.of(data)) == data
                assert place.store.missing(map(Digest.of, mine)) == []
                entry = place.cache.get(action)
                assert entry is None or len(entry.blobs) > 0
                place.leave()
        except BaseException as error:
            failures.append(error)

    def collector() -> None:
        place = Place(root)
        try:
            while not ended.is_set():
                place.collect(max_size=2000, max_age=0.5)
                assert verify_store(place.store.layout, place.history, KEY).corrupt == ()
                place.stats()
        except BaseException as error:
            failures.append(error)
        place.leave()

    sessions = [threading.Thread(target=session, args=(number,)) for number in range(4)]
    collectors = [threading.Thread(target=collector) for _ in range(2)]
    for thread in (*sessions, *collectors):
        thread.start()
    for thread in sessions:
        thread.join()
    ended.set()
    for thread in collectors:
        thread.join()
    assert failures == []


def die_at(step: int) -> None:
    """Have this process killed at the crash point number `step`."""
    count = iter(range(1 << 30))
    faults.inject(lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(count) == step else None)


def work(root: Path, seed: int) -> None:
    """Do a bit of all that changes a store."""
    chance = random.Random(seed)
    place = Place(root)
    for _ in range(2):
        place.publish(chance.randrange(30), *(b"%d" % chance.randrange(50) for _ in range(3)))
        place.history.add([BuildRecord(
            action="a", artifact="x", project="/p", role="control", machine="m", user="u", session="s",
            started=float(seed), seconds=1.0, digest="d", verdict="reproducible",
        )])  # fmt: skip
    place.collect(max_size=chance.choice([1 << 30, 4000]))
    place.leave()


def test_a_session_that_is_killed_at_any_step_leaves_a_sound_store(tmp_path):
    root = tmp_path / "store"
    work(root, 0)
    killed = 0
    for seed in range(120):
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                die_at(random.Random(seed).randrange(30))
                work(root, seed)
            os._exit(0)
        killed += os.WIFSIGNALED(os.waitpid(pid, 0)[1])
    assert killed > 60
    place = Place(root)
    found = verify_store(place.store.layout, place.history, KEY)
    assert (found.corrupt, found.refused, found.history) == ((), (), ())
    place.collect()
    assert os.listdir(place.store.layout.parts) == []
    assert os.listdir(place.store.layout.trash) == []
    assert os.listdir(place.store.layout.leases) == []
    work(root, 0)
    place.leave()


def test_after_a_crash_every_content_can_be_put_again(place):
    for step in range(6):
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                die_at(step)
                LocalStore(place.store.layout.root).put(b"data %d" % step)
            os._exit(0)
        os.waitpid(pid, 0)
        with contextlib.suppress(MissingError):
            assert place.store.get(Digest.of(b"data %d" % step)) == b"data %d" % step
        assert place.store.get(place.store.put(b"data %d" % step)) == b"data %d" % step


FOLDERS = ("quarantine", "parts", "trash", "blobs", "actions", "leases")


@pytest.mark.parametrize("name", [*FOLDERS, "trash.lock", "history.sqlite"])
def test_a_link_that_somebody_has_planted_leads_to_nobodys_files(place, tmp_path, name):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "precious").write_text("data")
    os.utime(folder / "precious", (1, 1))
    place.store.layout.make()
    planted = place.store.layout.root / name
    if name in FOLDERS:
        planted.rmdir()
    planted.symlink_to(folder if name in FOLDERS else folder / "precious")
    with pytest.raises(StoreUnavailableError, match="symlink|symbolic link"):
        collect_garbage(place.store.layout, max_size=0, max_age=0)
    assert [(file.name, file.read_text()) for file in folder.iterdir()] == [("precious", "data")]


def test_verify_waits_for_no_pipe(place):
    action = place.publish(1, b"one")
    path = Path(place.store.layout.action(action))
    path.unlink()
    os.mkfifo(path)
    found = verify_store(place.store.layout, place.history, KEY)
    assert found.refused == (action,)


def test_a_session_that_ends_waits_for_no_collector(place):
    place.store.put(b"nobody needs this")
    place.store.close()
    # As a session of an earlier version holds it.
    lock = os.open(f"{place.store.layout.trash}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tidy_up(place.history)
    finally:
        os.close(lock)
    assert take_stats(place.store.layout, place.history).blobs == 1
