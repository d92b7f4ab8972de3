"""A store that fails is not used for a while, and costs no verdict."""

import contextlib
import os
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.inputs.source_state import Sources
from pytest_ftc.builds.inputs.toolchain import Toolchain
from pytest_ftc.model import (
    Artifact,
    BuildResult,
    BuildStatus,
    Isolation,
    Machine,
    Output,
    OutputType,
    Role,
    Snapshot,
    Verdict,
    Verification,
)
from pytest_ftc.model.digest import Digest
from pytest_ftc.model.errors import StoreUnavailableError
from pytest_ftc.model.notes import NOT_CACHED_UNKNOWN
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification.cache import store_guard
from pytest_ftc.verification.cache.cache import VerificationCache
from pytest_ftc.verification.cache.context import CacheContext


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "a").write_text("a")
    return tmp_path / "source"


@pytest.fixture
def asked(tmp_path, source):
    return CacheContext(
        project=tmp_path,
        sources=Sources(tmp_path, [source]),
        toolchain=Toolchain(("/usr/bin",)),
        machine=Machine(isolation=Isolation.USER),
        select=lambda _: CATALOGUE[:2],
        builds=2,
        diagnose="full",
        trace=False,
        path=("/usr/bin",),
        environ={},
        has_environment=lambda _: True,
        platform=("Linux",),
    )


@pytest.fixture
def cache(tmp_path, asked):
    store = LocalStore(tmp_path / "store")
    store.layout.make()
    cache = VerificationCache(store, History(store.layout, bytes(32)), bytes(32), asked, answers=True)
    yield cache
    cache.close()


def verification(tmp_path: Path, data: bytes = b"x") -> Verification:
    (tmp_path / "blobs").mkdir(exist_ok=True)
    digest = Digest.of(data)
    (tmp_path / "blobs" / digest.hash).write_bytes(data)
    output = Output(path="out", type=OutputType.FILE, mode="0644", size=digest.size, sha256=digest.hash)
    builds = tuple(
        BuildResult(
            id=role.value, role=role, environment={}, status=BuildStatus.OK, outputs=(output,), started=1e9,
            blobs=str(tmp_path / "blobs"),
        )
        for role in (Role.CONTROL, Role.EXPERIMENT)
    )  # fmt: skip
    varied = tuple(variation.name for variation in CATALOGUE[:2])
    return Verification(id="i", name="app", verdict=Verdict.REPRODUCIBLE, varied=varied, builds=builds)


def query_for(cache: VerificationCache, source: Path):
    artifact = Artifact(id="i", name="app", build="true", outputs=("out",), source=source)
    query = cache.query(artifact)
    assert query is not None
    return query, Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)


def test_what_was_kept_is_recalled(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    assert cache.lookup(query) is None
    kept = cache.put(query, snapshot, verification(tmp_path))
    assert kept.agreement is not None
    known = cache.lookup(query)
    assert known is not None
    assert (known.cached, known.verdict, known.varied) == (True, kept.verdict, kept.varied)
    assert known.builds[0].outputs == kept.builds[0].outputs
    assert known.builds[0].blobs == known.builds[0].log == ""


def test_what_was_not_built_from_what_was_asked_about_is_not_kept(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    (source / "a").write_text("changed meanwhile")
    cache.put(query, snapshot, verification(tmp_path))
    assert cache.lookup(query) is None


def test_what_was_built_with_another_tool_or_compared_with_other_files_is_not_kept(cache, source, tmp_path):
    published = tmp_path / "published"
    tool = tmp_path / "tool"
    for name in ("tool", "published"):
        tool.write_text("#!/bin/sh\n")
        tool.chmod(0o755)
        published.write_text("x")
        artifact = Artifact(
            id=name, name=name, build="$TOOL", outputs=("out",), source=source, env={"TOOL": str(tool)},
            declared=tmp_path, reference=("published",),
        )  # fmt: skip
        query = cache.query(artifact)
        (tmp_path / name).write_text("replaced while it was built")
        snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
        cache.put(query, snapshot, verification(tmp_path))
        assert cache.lookup(query) is None


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.FAILED, Verdict.FRAGILE])
def test_what_rests_on_no_builds_is_not_kept(cache, source, tmp_path, verdict):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, replace(verification(tmp_path), verdict=verdict))
    assert cache.lookup(query) is None


def test_other_outputs_for_the_same_action_are_a_disagreement(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    first = verification(tmp_path)
    assert cache.disagreement(query, first) is None
    cache.put(query, snapshot, first)
    assert cache.disagreement(query, first) is None
    found = cache.disagreement(query, verification(tmp_path, b"y"))
    assert found is not None
    assert [difference.output for difference in found.differences] == ["out"]
    assert not found.elsewhere
    assert cache.fetch(found.differences[0].control, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"x"


def test_a_record_that_later_builds_contradict_is_no_answer(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    other = verification(tmp_path, b"other")
    builds = tuple(replace(build, started=build.started + 9) for build in other.builds)
    other = replace(other, builds=builds, verdict=Verdict.UNREPRODUCIBLE)
    cache.put(query, snapshot, other, disputed=True)
    assert cache.lookup(query) is None
    again = cache.disagreement(query, verification(tmp_path, b"other"))
    assert again is not None
    assert cache.disagreement(query, verification(tmp_path)) is None


def test_a_contradicted_record_whose_entry_is_lost_stays_contradicted(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    cache.put(query, snapshot, verification(tmp_path, b"other"), disputed=True)
    for entry in (tmp_path / "store" / "actions").rglob("*"):
        if entry.is_file():
            entry.unlink()
    said = cache.put(query, snapshot, verification(tmp_path, b"other")).notes
    assert said == ("not cached: earlier builds of the same inputs left other outputs (ftc history)",)
    assert cache.lookup(query) is None


def test_what_one_cpu_could_not_vary_is_no_answer_where_there_are_more(asked, source, tmp_path):
    store = LocalStore(tmp_path / "store")
    store.layout.make()
    machines = {cpus: replace(asked, machine=replace(asked.machine, cpus=cpus)) for cpus in (1, 2, 64)}
    caches = {
        cpus: VerificationCache(store, History(store.layout, bytes(32)), bytes(32), context, answers=True)
        for cpus, context in machines.items()
    }
    query, snapshot = query_for(caches[1], source)
    known = replace(verification(tmp_path), varied=())
    caches[1].put(query, snapshot, known)
    assert caches[1].lookup(query_for(caches[1], source)[0]) is not None
    assert caches[2].lookup(query_for(caches[2], source)[0]) is None
    caches[2].put(query_for(caches[2], source)[0], snapshot, known)
    assert caches[64].lookup(query_for(caches[64], source)[0]) is not None
    for one in caches.values():
        one.close()


def test_builds_that_took_longer_than_they_may_now_are_no_answer(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    known = verification(tmp_path)
    cache.put(query, snapshot, replace(known, builds=tuple(replace(one, seconds=9) for one in known.builds)))
    assert cache.lookup(query) is not None
    assert cache.lookup(replace(query, artifact=replace(query.artifact, timeout=8))) is None


def test_what_differed_once_from_the_same_inputs_is_not_reproducible_by_luck(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    lucky = verification(tmp_path)
    (control, _), (_, experiment) = lucky.builds, verification(tmp_path, b"other").builds
    cache.put(query, snapshot, replace(lucky, verdict=Verdict.UNREPRODUCIBLE, builds=(control, experiment)))
    found = cache.disagreement(query, lucky)
    assert found is not None
    assert [one.control.sha256 for one in found.differences] == [experiment.outputs[0].sha256]


def test_what_is_critical_or_takes_the_shortest_comes_first(cache, source, tmp_path):
    def artifact(name: str, **more: bool) -> Artifact:
        return Artifact(id=name, name=name, build=f"true {name}", outputs=("out",), source=source, **more)

    for name, seconds in (("long", 9.0), ("short", 1.0)):
        query = cache.query(artifact(name))
        assert query is not None
        one = verification(tmp_path)
        builds = tuple(replace(build, seconds=seconds) for build in one.builds)
        cache.put(query, query_for(cache, source)[1], replace(one, builds=builds))
    given = [artifact("new"), artifact("long"), artifact("short"), artifact("critical", critical=True)]
    assert [one.id for one in cache.ledger.order(given)] == ["critical", "short", "long", "new"]


def test_a_store_that_fails_again_and_again_is_left_alone_and_tried_later(cache, source, monkeypatch):
    query, _ = query_for(cache, source)
    calls = []

    def fail(action: str) -> None:
        calls.append(action)
        raise StoreUnavailableError("no disk")

    monkeypatch.setattr(cache._entries, "get", fail)
    for _ in range(10):
        assert cache.lookup(query) is None
    assert len(calls) == store_guard._FAILURES
    assert cache.problems == ("the verification cache is incomplete: no disk",)
    cache.guard._breaker.half_open()
    cache.lookup(query)
    assert len(calls) == store_guard._FAILURES + 1
    cache.lookup(query)
    assert len(calls) == store_guard._FAILURES + 1


def test_a_record_that_cannot_be_looked_up_in_the_history_is_no_answer(cache, source, tmp_path, monkeypatch):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    assert cache.lookup(query) is not None

    def fail(*asked: object) -> bool:
        raise StoreUnavailableError("no history")

    monkeypatch.setattr(cache.ledger._history, "contradicts", fail)
    assert cache.lookup(query) is None


def test_a_history_that_cannot_be_read_is_no_mismatch(cache, source, tmp_path, monkeypatch):
    def fail(*asked: object) -> bool:
        raise StoreUnavailableError("no history")

    monkeypatch.setattr(cache.ledger._history, "contradicts", fail)
    query, snapshot = query_for(cache, source)
    kept = cache.put(query, snapshot, verification(tmp_path))
    assert NOT_CACHED_UNKNOWN in kept.notes
    assert not kept.mismatch


def test_two_answers_of_a_slow_store_are_waited_for_at_once(cache, source, monkeypatch):
    query, _ = query_for(cache, source)
    both = threading.Barrier(2, timeout=20)

    def answer(action: str) -> None:
        both.wait()

    monkeypatch.setattr(cache._entries, "get", answer)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(cache.lookup, [query, query])) == [None, None]


def test_a_store_whose_folder_vanished_costs_no_verdict(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    shutil.rmtree(tmp_path / "store")
    kept = cache.put(query, snapshot, verification(tmp_path))
    assert kept.verdict is Verdict.REPRODUCIBLE
    assert cache.problems != ()
    assert os.path.exists(tmp_path)


@pytest.mark.parametrize("lost", ["history.sqlite", "history.seal", "both", "the contradicting rows"])
def test_what_was_contradicted_stays_so_whatever_happens_to_the_history(tmp_path, asked, source, lost):
    store = LocalStore(tmp_path / "store")
    store.layout.make()

    def opened() -> VerificationCache:
        return VerificationCache(store, History(store.layout, bytes(32)), bytes(32), asked, answers=True)

    first = opened()
    query, snapshot = query_for(first, source)
    first.put(query, snapshot, verification(tmp_path))
    assert first.lookup(query) is not None
    first.close()
    shutil.copytree(store.layout.root, tmp_path / "older")
    second = opened()
    other = replace(verification(tmp_path, b"other"), verdict=Verdict.UNREPRODUCIBLE)
    second.put(query, snapshot, other, disputed=True)
    second.close()
    if lost == "the contradicting rows":
        for name in ("history.sqlite", "history.seal"):
            shutil.copy(tmp_path / "older" / name, store.layout.root)
    for name in ("history.sqlite", "history.seal"):
        if lost in (name, "both"):
            (store.layout.root / name).unlink()
    third = opened()
    assert third.lookup(query) is None
    again = third.put(query, snapshot, verification(tmp_path))
    assert again.agreement is not None
    assert third.lookup(query) is not None
    third.close()


def test_an_entry_of_an_earlier_version_is_answered_while_its_builds_are_on_record(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    cache.ledger._history.close()
    entry = cache._entry(query)
    cache._entries.put(replace(entry, history="", row=0))
    (tmp_path / "store" / "history.seal").unlink()
    with contextlib.closing(sqlite3.connect(tmp_path / "store" / "history.sqlite")) as connection, connection:
        connection.execute("alter table builds drop column code")
    assert cache.lookup(query) is not None
    cache.ledger._history.close()
    (tmp_path / "store" / "history.sqlite").unlink()
    assert cache.lookup(query) is None


def test_an_entry_of_another_machine_in_a_shared_store_needs_no_history_here(cache, source, tmp_path):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    entry = cache._entry(query)
    cache._entries.put(replace(entry, history="of another machine", machine="elsewhere"))
    assert cache.lookup(query) is None
    cache.ledger._shared = True
    assert cache.lookup(query) is not None
    cache._entries.put(replace(entry, history="of another machine"))
    assert cache.lookup(query) is None


def why(cache: VerificationCache, source: Path, tmp_path: Path, asked: CacheContext, **changed: object) -> str:
    """Return what the next session says when it builds again."""
    again = VerificationCache(
        cache.store, History(LocalStore(tmp_path / "store").layout, bytes(32)), bytes(32),
        replace(asked, sources=Sources(tmp_path, [source]), toolchain=Toolchain(("/usr/bin",)), **changed), answers=True,
    )  # fmt: skip
    query, snapshot = query_for(again, source)
    assert again.lookup(query) is None
    noted = again.put(query, snapshot, verification(tmp_path))
    again.close()
    return " ".join(noted.rebuilt)


def test_what_has_changed_is_named_when_it_is_built_again(cache, asked, source, tmp_path):
    query, snapshot = query_for(cache, source)
    assert cache.lookup(query) is None
    assert cache.put(query, snapshot, verification(tmp_path)).rebuilt == ()
    (source / "a").write_text("edited")
    (source / "junit.xml").write_text("")
    assert why(cache, source, tmp_path, asked) == "built again: a changed, junit.xml is new"
    (source / "junit.xml").unlink()
    assert why(cache, source, tmp_path, asked) == "built again: junit.xml was removed"
    assert why(cache, source, tmp_path, asked, path=("/bin",)) == "built again: the environment of builds changed"
    assert why(cache, source, tmp_path, asked, builds=9) == "built again: more is requested than was verified"


def test_the_note_of_an_earlier_session_is_not_repeated(cache, asked, source, tmp_path):
    query, snapshot = query_for(cache, source)
    cache.put(query, snapshot, verification(tmp_path))
    (source / "a").write_text("edited")
    assert why(cache, source, tmp_path, asked)
    fresh = VerificationCache(
        cache.store, History(LocalStore(tmp_path / "store").layout, bytes(32)), bytes(32),
        replace(asked, sources=Sources(tmp_path, [source])), answers=True,
    )  # fmt: skip
    known = fresh.lookup(query_for(fresh, source)[0])
    assert known is not None
    assert known.rebuilt == ()
    fresh.close()
