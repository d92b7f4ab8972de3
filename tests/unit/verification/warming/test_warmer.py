"""What is fetched for the next run, and what is not."""

import pytest
from unit.store.test_tiered import MemoryStore

from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.store.action_cache import Entry, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.verification.warming.actions import Wanted
from pytest_ftc.verification.warming.warmer import Room, State, Warmer

KEY = bytes(32)
ACTION = "a" * 64
CONTENTS = {Digest.of(data): data for data in (b"one", b"two" * 1000)}


class Shared(MemoryStore):
    def find_entry(self, action):
        self._begin("find_entry")
        return Digest.of(self.entries[action]) if action in self.entries else None

    def find_missing(self, digests):
        self._begin("find_missing")
        return set(digests) - set(self.contents)


def sealed(action=ACTION, blobs=CONTENTS, key=KEY):
    return seal_entry(
        Entry(
            action=action, asked={}, facilities="", environment="", builds=2, machine="m", made=1.0, traced=False,
            diagnose="off", verification={}, blobs=tuple(map(str, blobs)),
        ),
        key,
    )  # fmt: skip


@pytest.fixture
def shared():
    shared = Shared()
    shared.entries = {ACTION: sealed()}
    shared.contents = dict(CONTENTS)
    return shared


@pytest.fixture
def warm(tmp_path, shared):
    local = LocalStore(tmp_path / "store")

    def run(wanted=None, room=1 << 20, outputs=False, plan=False):
        warmer = Warmer(local=local, shared=shared, key=KEY, room=Room(room), outputs=outputs, plan=plan)
        [warmed] = warmer.warm_all([wanted or Wanted(artifact="app", action=ACTION)], 2)
        return warmed

    run.local = local
    local.layout.make()
    yield run
    local.close()


def test_a_verdict_is_fetched_once(warm, shared):
    warmed = warm()
    assert (warmed.state, warmed.entry_bytes, warmed.contents) == (State.FETCHED, len(sealed()), 0)
    assert warm.local.get_entry(ACTION) == sealed()
    shared.calls.clear()
    assert warm().state is State.HERE
    assert shared.calls == []


def test_outputs_are_fetched_where_they_are_asked_for(warm, shared):
    size = sum(digest.size for digest in CONTENTS)
    warmed = warm(outputs=True)
    assert (warmed.state, warmed.contents, warmed.content_bytes) == (State.FETCHED, 2, size)
    assert warm.local.missing(CONTENTS) == []
    assert warm(outputs=True).state is State.HERE


def test_outputs_of_a_verdict_that_is_here_are_fetched(warm):
    warm()
    warmed = warm(outputs=True)
    assert (warmed.state, warmed.entry_bytes, warmed.contents) == (State.FETCHED, 0, 2)


@pytest.mark.parametrize("outputs", [False, True])
def test_a_plan_keeps_nothing(warm, shared, outputs):
    warmed = warm(outputs=outputs, plan=True)
    assert (warmed.state, warmed.entry_bytes, warmed.contents) == (State.PLANNED, len(sealed()), 2 * outputs)
    assert warm.local.get_entry(ACTION) is None
    assert warm.local.missing(CONTENTS) == list(CONTENTS)
    assert "get_file" not in shared.calls


@pytest.mark.parametrize("outputs", [False, True])
def test_nothing_is_fetched_for_which_something_newer_would_be_evicted(warm, shared, outputs):
    assert warm(room=len(sealed()) - 1, outputs=outputs).state is State.NO_ROOM
    assert "get_entry" not in shared.calls
    warmed = warm(room=len(sealed()) + 10, outputs=True)
    assert (warmed.state, warmed.contents) == (State.FETCHED, 0)
    assert "no room for 3003 bytes of outputs" in warmed.reason
    assert warm.local.missing(CONTENTS) == list(CONTENTS)


@pytest.mark.parametrize("sent", [sealed(key=b"1" * 32), sealed(action="b" * 64), b"", sealed()[:-1]])
def test_what_is_not_authentic_is_refused(warm, shared, sent):
    shared.entries[ACTION] = sent
    assert warm().state is State.REFUSED
    assert warm.local.get_entry(ACTION) is None


def test_what_nobody_stored_or_what_is_never_cached_is_not_there(warm, shared):
    shared.entries.clear()
    assert warm().state is State.ABSENT
    shared.calls.clear()
    warmed = warm(Wanted(artifact="app", why="it has secrets"))
    assert (warmed.state, warmed.reason, shared.calls) == (State.ABSENT, "it has secrets", [])


def test_outputs_that_are_gone_or_altered_are_not_kept(warm, shared):
    [first, second] = CONTENTS
    del shared.contents[first]
    shared.contents[second] = b"other"
    warmed = warm(outputs=True)
    assert (warmed.state, warmed.contents, warmed.gone) == (State.FETCHED, 0, 2)
    assert warm.local.missing(CONTENTS) == list(CONTENTS)


def test_a_failure_is_that_of_one_artifact(warm, shared):
    def fail():
        raise StoreUnavailableError("no route")

    shared.fault = fail
    warmed = warm()
    assert (warmed.state, warmed.reason) == (State.FAILED, "no route")
