"""Verdicts of other machines through a store that sessions share: the rules are those of the local store."""

import platform
from dataclasses import replace

import pytest
from unit.store.test_tiered import MemoryStore
from unit.verification.cache.test_cache import asked, query_for, source, verification  # noqa: F401

from pytest_ftc.builds.inputs.source_state import Sources
from pytest_ftc.model import Verdict
from pytest_ftc.store.action_cache import is_authentic, open_entry, seal_entry
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.store.tiered import TieredStore
from pytest_ftc.verification.cache.cache import VerificationCache

KEY = bytes(32)


@pytest.fixture
def remote():
    return MemoryStore()


@pytest.fixture
def on(tmp_path, asked, source, remote, monkeypatch):  # noqa: F811
    """Return a function that opens the cache of a session on the machine of a name."""
    opened = []

    def open_on(name, key=KEY, **changed):
        for cache in opened:
            cache.close()
        monkeypatch.setattr(platform, "node", lambda: name)
        local = LocalStore(tmp_path / name)
        local.layout.make()
        store = TieredStore(local, lambda: remote, lambda action, data: is_authentic(action, data, key=key))
        context = replace(asked, sources=Sources(tmp_path, [source]), **changed)
        cache = VerificationCache(store, History(local.layout, key), key, context, answers=True)
        opened.append(cache)
        return cache

    yield open_on
    for cache in opened:
        cache.close()


@pytest.fixture
def verified(on, source, tmp_path):  # noqa: F811
    """Have the machine ``one`` verify and store."""
    cache = on("one")
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    cache.close()
    return query


def test_another_machine_has_the_verdict_without_a_build_or_a_content(verified, on, source, remote):  # noqa: F811
    remote.calls.clear()
    cache = on("two")
    known = cache.lookup(query_for(cache, source)[0])
    assert known is not None
    assert (known.verdict, known.cached) == (Verdict.REPRODUCIBLE, True)
    assert remote.calls == ["get_entry"]
    assert cache.store.use.remote == 1
    assert cache.problems == ()


def test_a_machine_that_lost_its_history_builds_again(verified, on, source, tmp_path):  # noqa: F811
    (tmp_path / "one").rename(tmp_path / "lost")
    cache = on("one")
    assert cache.lookup(query_for(cache, source)[0]) is None


def test_more_than_was_verified_is_built(verified, on, source):  # noqa: F811
    cache = on("two", builds=3)
    assert cache.lookup(query_for(cache, source)[0]) is None


def test_other_sources_are_another_action(verified, on, source, remote):  # noqa: F811
    (source / "a").write_text("b")
    cache = on("two")
    assert cache.lookup(query_for(cache, source)[0]) is None
    assert cache.store.use.neither == 1


@pytest.mark.parametrize("how", ["another key", "another action", "another verdict", "cut"])
def test_a_forged_entry_is_no_answer_and_is_said(verified, on, source, remote, how):  # noqa: F811
    [(action, data)] = remote.entries.items()
    entry = open_entry(data, action, KEY)
    remote.entries[action] = {
        "another key": seal_entry(entry, b"1" * 32),
        "another action": seal_entry(replace(entry, action="f" * 64), KEY),
        "another verdict": data.replace(b"reproducible", b"unreproducible"),
        "cut": data[:-1],
    }[how]
    cache = on("two")
    assert cache.lookup(query_for(cache, source)[0]) is None
    assert "1 cached verification(s) were not authentic and were rebuilt" in cache.problems
    assert not list((cache.store._local.layout.actions).rglob("?" * 64))


def test_other_outputs_on_another_machine_are_disputed_for_all(verified, on, source, remote, tmp_path):  # noqa: F811
    cache = on("two")
    query, snapshot = query_for(cache, source)
    other = verification(tmp_path, b"other")
    disagreement = cache.disagreement(query, other)
    assert disagreement is not None
    assert disagreement.elsewhere
    to = tmp_path / "recorded"
    assert cache.fetch(verification(tmp_path).builds[0].outputs[0], to)
    assert to.read_bytes() == b"x"
    cache.put(query, snapshot, replace(other, verdict=Verdict.UNREPRODUCIBLE), disputed=True)
    cache.close()
    third = on("three")
    assert third.lookup(query_for(third, source)[0]) is None


def test_an_altered_recorded_output_is_not_available(verified, on, source, remote, tmp_path):  # noqa: F811
    output = verification(tmp_path).builds[0].outputs[0]
    remote.contents = dict.fromkeys(remote.contents, b"y")
    cache = on("two")
    assert not cache.fetch(output, tmp_path / "recorded")
    assert any("other bytes" in problem for problem in cache.problems)


def test_without_the_remote_store_a_session_goes_on_with_its_own(on, source, remote, tmp_path):  # noqa: F811
    def fail():
        raise ConnectionError("no route to host")

    remote.fault = fail
    for expected in (None, Verdict.REPRODUCIBLE):
        cache = on("one")
        query, snapshot = query_for(cache, source)
        known = cache.lookup(query)
        assert (known and known.verdict) == expected
        if known is None:
            cache.put(query, snapshot, verification(tmp_path))
        cache.close()
    assert cache.store.use.local == 1
