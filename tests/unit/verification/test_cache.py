"""A store that fails is left alone for a while, and costs no verdict."""

import os
import shutil
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
from pytest_ftc.store.cas import LocalStore
from pytest_ftc.store.history import History
from pytest_ftc.variations import CATALOGUE
from pytest_ftc.verification import cache as module
from pytest_ftc.verification.cache import CacheContext, VerificationCache


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
def memory(tmp_path, asked):
    store = LocalStore(tmp_path / "store")
    store.layout.make()
    memory = VerificationCache(store, History(store.layout), bytes(32), asked, answers=True)
    yield memory
    memory.close()


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


def ask(memory: VerificationCache, source: Path):
    artifact = Artifact(id="i", name="app", build="true", outputs=("out",), source=source)
    question = memory.ask(artifact)
    assert question is not None
    return question, Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)


def test_what_was_kept_is_recalled(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    assert memory.recall(question) is None
    kept = memory.keep(question, snapshot, verification(tmp_path))
    assert kept.agreement is not None
    known = memory.recall(question)
    assert known is not None
    assert (known.cached, known.verdict, known.varied) == (True, kept.verdict, kept.varied)
    assert known.builds[0].outputs == kept.builds[0].outputs
    assert known.builds[0].blobs == known.builds[0].log == ""


def test_what_was_not_built_from_what_was_asked_about_is_not_kept(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    (source / "a").write_text("changed meanwhile")
    memory.keep(question, snapshot, verification(tmp_path))
    assert memory.recall(question) is None


def test_what_was_built_with_another_tool_or_compared_with_other_files_is_not_kept(memory, source, tmp_path):
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
        question = memory.ask(artifact)
        (tmp_path / name).write_text("replaced while it was built")
        snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
        memory.keep(question, snapshot, verification(tmp_path))
        assert memory.recall(question) is None


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.FAILED, Verdict.FRAGILE])
def test_what_rests_on_no_builds_is_not_kept(memory, source, tmp_path, verdict):
    question, snapshot = ask(memory, source)
    memory.keep(question, snapshot, replace(verification(tmp_path), verdict=verdict))
    assert memory.recall(question) is None


def test_other_outputs_for_the_same_action_are_a_disagreement(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    first = verification(tmp_path)
    assert memory.disagreement(question, first) is None
    memory.keep(question, snapshot, first)
    assert memory.disagreement(question, first) is None
    found = memory.disagreement(question, verification(tmp_path, b"y"))
    assert found is not None
    assert [difference.output for difference in found.differences] == ["out"]
    assert not found.elsewhere
    assert memory.fetch(found.differences[0].control, tmp_path / "fetched")
    assert (tmp_path / "fetched").read_bytes() == b"x"


def test_a_record_that_later_builds_contradict_is_no_answer(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    memory.keep(question, snapshot, verification(tmp_path))
    other = verification(tmp_path, b"other")
    builds = tuple(replace(build, started=build.started + 9) for build in other.builds)
    other = replace(other, builds=builds, verdict=Verdict.UNREPRODUCIBLE)
    memory.keep(question, snapshot, other, disputed=True)
    assert memory.recall(question) is None
    again = memory.disagreement(question, verification(tmp_path, b"other"))
    assert again is not None
    assert memory.disagreement(question, verification(tmp_path)) is None


def test_builds_that_took_longer_than_they_may_now_are_no_answer(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    known = verification(tmp_path)
    memory.keep(question, snapshot, replace(known, builds=tuple(replace(one, seconds=9) for one in known.builds)))
    assert memory.recall(question) is not None
    assert memory.recall(replace(question, artifact=replace(question.artifact, timeout=8))) is None


def test_what_differed_once_from_the_same_inputs_is_not_reproducible_by_luck(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    lucky = verification(tmp_path)
    (control, _), (_, experiment) = lucky.builds, verification(tmp_path, b"other").builds
    memory.keep(question, snapshot, replace(lucky, verdict=Verdict.UNREPRODUCIBLE, builds=(control, experiment)))
    found = memory.disagreement(question, lucky)
    assert found is not None
    assert [one.control.sha256 for one in found.differences] == [experiment.outputs[0].sha256]


def test_what_is_critical_or_takes_the_shortest_comes_first(memory, source, tmp_path):
    def artifact(name: str, **more: bool) -> Artifact:
        return Artifact(id=name, name=name, build=f"true {name}", outputs=("out",), source=source, **more)

    for name, seconds in (("long", 9.0), ("short", 1.0)):
        question = memory.ask(artifact(name))
        assert question is not None
        one = verification(tmp_path)
        builds = tuple(replace(build, seconds=seconds) for build in one.builds)
        memory.keep(question, ask(memory, source)[1], replace(one, builds=builds))
    given = [artifact("new"), artifact("long"), artifact("short"), artifact("critical", critical=True)]
    assert [one.id for one in memory.order(given)] == ["critical", "short", "long", "new"]


def test_a_store_that_fails_again_and_again_is_left_alone_and_tried_later(memory, source, monkeypatch):
    question, _ = ask(memory, source)
    calls = []

    def fail(action: str) -> None:
        calls.append(action)
        raise StoreUnavailableError("no disk")

    monkeypatch.setattr(memory._cache, "get", fail)
    for _ in range(10):
        assert memory.recall(question) is None
    assert len(calls) == module._FAILURES
    assert memory.problems == ("not all is remembered: no disk",)
    memory._breaker.half_open()
    memory.recall(question)
    assert len(calls) == module._FAILURES + 1
    memory.recall(question)
    assert len(calls) == module._FAILURES + 1


def test_a_record_that_cannot_be_looked_up_in_the_history_is_no_answer(memory, source, tmp_path, monkeypatch):
    question, snapshot = ask(memory, source)
    memory.keep(question, snapshot, verification(tmp_path))
    assert memory.recall(question) is not None

    def fail(*asked: object) -> bool:
        raise StoreUnavailableError("no history")

    monkeypatch.setattr(memory._history, "contradicts", fail)
    assert memory.recall(question) is None


def test_two_answers_of_a_slow_store_are_waited_for_at_once(memory, source, monkeypatch):
    question, _ = ask(memory, source)
    both = threading.Barrier(2, timeout=20)

    def answer(action: str) -> None:
        both.wait()

    monkeypatch.setattr(memory._cache, "get", answer)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(memory.recall, [question, question])) == [None, None]


def test_a_store_whose_folder_vanished_costs_no_verdict(memory, source, tmp_path):
    question, snapshot = ask(memory, source)
    shutil.rmtree(tmp_path / "store")
    kept = memory.keep(question, snapshot, verification(tmp_path))
    assert kept.verdict is Verdict.REPRODUCIBLE
    assert memory.problems != ()
    assert os.path.exists(tmp_path)
