"""A local store in front of a remote one, which here is in memory and can fail in every way."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import FtcError, MissingError, StoreUnavailableError
from pytest_ftc.model.store import TierTraffic
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.remote_tier import TierLimits
from pytest_ftc.store.tier_counts import read_use
from pytest_ftc.store.tiered import TieredStore

ACTION, OTHER = "a" * 64, "b" * 64
QUICK = TierLimits(rest=60, slow=0.05, delay=0.3, flush=0.5)


class MemoryStore:
    """A remote store; `fault` is called before each use."""

    problems = ()

    def __init__(self):
        self.entries = {}
        self.contents = {}
        self.calls = []
        self.fault = lambda: None
        self.closed = False

    def get_entry(self, action):
        self._begin("get_entry")
        return self.entries.get(action)

    def put_entry(self, action, entry):
        self._begin("put_entry")
        self.entries[action] = entry

    def get_file(self, digest, to):
        self._begin("get_file")
        if digest not in self.contents:
            raise MissingError(f"no {digest}")
        to.write_bytes(self.contents[digest])

    def put_files(self, files):
        self._begin("put_files")
        self.contents |= {digest: path.read_bytes() for digest, path in files.items()}

    def close(self):
        self.closed = True

    def _begin(self, call):
        self.calls.append(call)
        self.fault()


@pytest.fixture
def remote():
    return MemoryStore()


@pytest.fixture
def open_tiered(tmp_path, remote):
    """Return a function that opens a tiered store: what begins with ``good`` is authentic."""
    opened = []

    def open_it(name="store", connect=lambda: remote, limits=QUICK, disputes=False):
        store = TieredStore(
            LocalStore(tmp_path / name), connect, lambda _, data: data.startswith(b"good"), limits,
            is_disputed=lambda _, data: disputes and data == b"good disputed",
        )  # fmt: skip
        opened.append(store)
        return store

    yield open_it
    for store in opened:
        store.close()


def test_what_one_machine_stores_another_finds_and_keeps(open_tiered, remote, tmp_path):
    first, second = open_tiered("first"), open_tiered("second")
    content, digest = b"content", Digest.of(b"content")
    (tmp_path / "file").write_bytes(content)
    first.put_files({digest: tmp_path / "file"})
    first.put_entry(ACTION, b"good one")
    first.close()
    assert remote.entries == {ACTION: b"good one"}
    assert remote.contents == {digest: content}
    assert first.use.sent == TierTraffic(entries=1, contents=1, bytes=len(content) + 8)
    assert second.get_entry(ACTION) == b"good one"
    second.get_file(digest, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == content
    remote.calls.clear()
    second.get_file(digest, tmp_path / "again")
    assert remote.calls == []
    assert second.get_entry(ACTION) == b"good one"
    assert second.use.received == TierTraffic(entries=1, contents=1, bytes=len(content) + 8)
    assert list(second.problems) == []


def test_an_unchanged_project_moves_no_content(open_tiered, remote):
    remote.entries = {f"{number:064x}": b"good" for number in range(100)}
    store = open_tiered()
    assert all(store.get_entry(action) == b"good" for action in remote.entries)
    assert set(remote.calls) == {"get_entry"}
    assert (store.use.remote, store.use.neither) == (100, 0)


@pytest.mark.parametrize("forged", [b"bad", b"", b"bad" * 1000])
def test_a_forged_entry_is_reported_to_its_reader_and_not_kept(open_tiered, remote, forged):
    remote.entries[ACTION] = forged
    store = open_tiered()
    assert store.get_entry(ACTION) == forged
    assert store._local.get_entry(ACTION) is None
    assert store.use.neither == 1


def test_a_forged_local_entry_does_not_hide_the_remote_one(open_tiered, remote):
    store = open_tiered()
    store._local.put_entry(ACTION, b"bad")
    assert store.get_entry(ACTION) == b"bad"
    remote.entries[ACTION] = b"good"
    assert store.get_entry(ACTION) == b"good"
    assert store._local.get_entry(ACTION) == b"good"


@pytest.mark.parametrize("sent", [b"", b"Content", b"content and more"])
def test_an_altered_content_is_missing_and_not_kept(open_tiered, remote, tmp_path, sent):
    digest = Digest.of(b"content")
    remote.contents[digest] = sent
    store = open_tiered()
    with pytest.raises(MissingError, match="other bytes"):
        store.get_file(digest, tmp_path / "to")
    assert not (tmp_path / "to").exists()
    assert store._local.missing([digest]) == [digest]
    assert "other bytes" in store.problems[0]
    assert not list(store._local.layout.parts.iterdir())


def test_a_content_that_no_store_has_is_missing_and_no_failure_of_the_remote_one(open_tiered, tmp_path):
    store = open_tiered()
    for _ in range(5):
        with pytest.raises(MissingError):
            store.get_file(Digest.of(b"content"), tmp_path / "to")
    assert list(store.problems) == []


@pytest.mark.parametrize("error", [StoreUnavailableError("no route"), ConnectionResetError("reset"), KeyError("bug")])
def test_a_remote_store_that_is_down_means_the_local_one_only(open_tiered, remote, tmp_path, error):
    def fail():
        raise error

    remote.fault = fail
    store = open_tiered()
    store.put_entry(ACTION, b"good one")
    for number in range(20):
        assert store.get_entry(f"{number:064x}") is None
    assert store.get_entry(ACTION) == b"good one"
    with pytest.raises(MissingError):
        store.get_file(Digest.of(b"content"), tmp_path / "to")
    store.close()
    assert len(remote.calls) <= QUICK.failures + 1
    assert any("could not be used" in problem for problem in store.problems)
    assert any("not in the remote store: 1 of 1" in problem for problem in store.problems)


def test_without_the_extra_or_a_secret_there_is_one_problem_and_no_further_attempt(open_tiered):
    attempts = []

    def connect():
        attempts.append(1)
        raise FtcError("remote execution needs the extra 'reapi'")

    store = open_tiered(connect=connect)
    for number in range(5):
        assert store.get_entry(f"{number:064x}") is None
    assert len(attempts) == 1
    assert [problem for problem in store.problems if "extra" in problem] == list(store.problems)


def test_a_slow_remote_store_delays_a_session_only_so_long(open_tiered, remote):
    remote.fault = lambda: time.sleep(0.1)
    store = open_tiered()
    began = time.monotonic()
    for number in range(50):
        store.get_entry(f"{number:064x}")
    assert time.monotonic() - began < 2
    assert len(remote.calls) <= 5
    assert any("delayed verifications" in problem for problem in store.problems)


def test_the_end_of_a_session_waits_a_bounded_time_and_says_what_is_not_stored(open_tiered, remote):
    release = threading.Event()
    remote.fault = lambda: release.wait(30)
    store = open_tiered()
    for number in range(10):
        store.put_entry(f"{number:064x}", b"good")
    began = time.monotonic()
    threading.Timer(1.0, release.set).start()
    store.close()
    assert time.monotonic() - began < 5
    assert any("of 10 verdicts" in problem for problem in store.problems), store.problems
    assert remote.closed


def test_more_than_the_queue_holds_is_left_out_and_said(open_tiered, remote):
    release = threading.Event()
    remote.fault = lambda: release.wait(30)
    store = open_tiered(limits=TierLimits(waiting=3, flush=5))
    for number in range(10):
        store.put_entry(f"{number:064x}", b"good")
    release.set()
    store.close()
    assert 3 <= len(remote.entries) <= 5
    left = 10 - len(remote.entries)
    assert any(f"not in the remote store: {left} of 10" in problem for problem in store.problems), store.problems


def test_a_local_store_that_cannot_keep_an_entry_still_answers(open_tiered, remote, monkeypatch):
    remote.entries[ACTION] = b"good"
    store = open_tiered()

    def fail(*_):
        raise StoreUnavailableError("the disk is full")

    monkeypatch.setattr(store._local, "put_entry", fail)
    assert store.get_entry(ACTION) == b"good"
    assert "the disk is full" in store.problems[0]


def test_an_entry_is_counted_once_however_often_it_is_looked_up(open_tiered, remote, tmp_path):
    remote.entries[ACTION] = b"good"
    for _ in range(2):
        store = open_tiered()
        for _ in range(3):
            store.get_entry(ACTION)
            store.get_entry(OTHER)
        store.close()
    total = read_use(LocalStore(tmp_path / "store").layout)
    assert (total.local, total.remote, total.neither, total.asked) == (1, 1, 2, 4)


def test_a_damaged_file_of_counts_counts_from_zero(open_tiered, tmp_path):
    open_tiered().close()
    layout = LocalStore(tmp_path / "store").layout
    layout.make()
    (layout.root / "tiers.json").write_bytes(b'{"local": "many"}')
    store = open_tiered()
    store.get_entry(ACTION)
    store.close()
    assert read_use(layout).neither == 1


def test_many_sessions_at_once_fetch_the_same_and_keep_it_whole(open_tiered, remote, tmp_path):
    contents = {Digest.of(b"%d" % number * 1000): b"%d" % number * 1000 for number in range(20)}
    remote.contents = dict(contents)
    remote.entries = {f"{number:064x}": b"good %d" % number for number in range(20)}
    stores = [open_tiered(f"store-{number % 2}") for number in range(6)]

    def use(store):
        for action, entry in remote.entries.items():
            assert store.get_entry(action) == entry
        for digest, content in contents.items():
            to = tmp_path / f"{id(store)}-{digest.hash}"
            store.get_file(digest, to)
            assert to.read_bytes() == content

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(use, stores))
    assert [problem for store in stores for problem in store.problems] == []


def test_a_dispute_on_another_machine_reaches_a_machine_that_has_the_entry(open_tiered, remote):
    remote.entries[ACTION] = b"good"
    store = open_tiered(disputes=True)
    assert store.get_entry(ACTION) == b"good"
    remote.entries[ACTION] = b"good disputed"
    assert store.get_entry(ACTION) == b"good"
    deadline = time.monotonic() + 5
    while store.get_entry(ACTION) != b"good disputed" and time.monotonic() < deadline:
        time.sleep(0.01)
    assert store.get_entry(ACTION) == b"good disputed"


def test_the_end_of_a_session_does_not_wait_for_a_look_that_hangs(open_tiered, remote):
    release = threading.Event()
    remote.fault = lambda: release.wait(30)
    remote.close = release.set
    store = open_tiered(limits=TierLimits(flush=10))
    store._local.put_entry(ACTION, b"good")
    store.get_entry(ACTION)
    began = time.monotonic()
    store.close()
    assert time.monotonic() - began < 2
    assert list(store.problems) == []


@pytest.mark.parametrize("sent", [None, b"good other", b"bad disputed"])
def test_only_an_authentic_dispute_replaces_a_local_entry(open_tiered, remote, sent):
    store = open_tiered(disputes=True)
    store._local.put_entry(ACTION, b"good")
    remote.entries = {ACTION: sent} if sent else {}
    store.get_entry(ACTION)
    deadline = time.monotonic() + 5
    while not remote.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    assert remote.calls == ["get_entry"]
    store.close()
    assert store._local.get_entry(ACTION) == b"good"


def test_the_end_of_a_session_does_not_wait_for_disputes(open_tiered, remote):
    remote.fault = lambda: time.sleep(0.2)
    store = open_tiered(limits=TierLimits(flush=10))
    for number in range(50):
        store._local.put_entry(f"{number:064x}", b"good")
        store.get_entry(f"{number:064x}")
    began = time.monotonic()
    store.close()
    assert time.monotonic() - began < 2
    assert list(store.problems) == []
