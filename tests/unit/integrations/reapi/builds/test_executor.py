"""Answers that belong to another build are refused: a server may return a result that it has kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from farms import Farm, address_of
from lying_workers import Said, Workers

from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.builds.workers import Workers as Kinds
from pytest_ftc.integrations.reapi.dispatch import Policy, QuotaError
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.past_times import PastTimes
from pytest_ftc.model import Action, BuildStatus, Replica
from pytest_ftc.model.errors import MissingError
from pytest_ftc.model.support.contents import find_content


def test_the_result_of_an_earlier_build_of_the_same_name_is_refused(
    remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    kept: list[dict[str, Any]] = []

    def answer_as_before(said: Said, action: Action) -> None:
        kept.append(said.result)
        said.result = kept[0]

    workers.lie = answer_as_before
    first = remote.run(control, lambda _: None)
    assert (first.status, first.id) == (BuildStatus.OK, "a-control")
    with pytest.raises(RemoteError, match="the answer is that of another build"):
        remote.run(control, lambda _: None)
    assert len({result["id"] for result in kept}) == 2


def test_only_contents_of_the_outputs_are_fetched(remote: RemoteExecutor, control: Action, workers: Workers) -> None:
    build = remote.run(control, lambda _: None)
    assert find_content(build.blobs, build.outputs[0].sha256).read_bytes() == b"made\n"
    with pytest.raises(MissingError, match="has no output with the content 0000"):
        find_content(build.blobs, "0" * 64)


def test_what_a_session_knows_itself_is_not_taken_from_a_worker(
    remote: RemoteExecutor, control: Action, workers: Workers
) -> None:
    def lie(said: Said, action: Action) -> None:
        said.result |= {
            "environment": {"time": "+398 d"},
            "attempts": 7,
            "failed_before": ["\x1b[31m"],
            "lost_before": ["\x1b[31m"],
            "worker": "another",
            "log": "/etc/passwd",
            "blobs": "/etc",
            "log_tail": "\x1b[31mlast words",
        }

    workers.lie = lie
    build = remote.run(control, lambda _: None)
    assert (build.environment, build.attempts, build.failed_before, build.lost_before) == ({}, 1, (), ())
    assert (build.worker, build.recipe, build.log_tail) == ("worker-1", None, "")
    assert build.log.endswith("/logs/a-control.log")
    assert build.blobs.endswith("/a-control/blobs")


def test_each_replica_is_built_on_workers_of_its_own(
    tmp_path: Path, farm: Farm, control: Action, workers: Workers
) -> None:
    pools = {Replica.CONTROL: {"pool": "a"}, Replica.EXPERIMENT: {"pool": "b", "os": "y"}}
    remote = RemoteExecutor(address_of(farm), tmp_path, tmp_path / "logs", Kinds({"os": "x"}, pools), Policy())
    for replica in (Replica.CONTROL, Replica.EXPERIMENT, None):
        action = replace(control, environment=replace(control.environment, replica=replica))
        assert remote.run(action, lambda _: None).status is BuildStatus.OK
    remote.close()
    assert remote.replicas == (Replica.CONTROL, Replica.EXPERIMENT)
    assert workers.properties == [{"os": "x", "pool": "a"}, {"os": "y", "pool": "b"}, {"os": "x"}]


def test_times_are_for_the_next_session(tmp_path: Path, farm: Farm, control: Action, workers: Workers) -> None:
    for session in range(3):
        past = PastTimes(tmp_path / "farm" / "times.json")
        assert len(past.of("a")) == 2 * session
        remote = RemoteExecutor(address_of(farm), tmp_path, tmp_path / "logs", Kinds(), Policy(), past)
        for _ in range(2):
            assert remote.run(control, lambda _: None).status is BuildStatus.OK
        remote.close()
        remote.close()
    assert len(PastTimes(tmp_path / "farm" / "times.json").of("a")) == 6


@pytest.mark.parametrize("said", [30.0, None])
def test_what_a_worker_says_of_its_cpu_time_counts(
    tmp_path: Path, farm: Farm, control: Action, workers: Workers, said: float | None
) -> None:
    """Without a word of the worker, the time of the execution counts, which is next to none here."""
    policy = Policy(max_cpu_seconds=60.0, step=0.0)
    remote = RemoteExecutor(address_of(farm), tmp_path, tmp_path / "logs", Kinds(), policy)
    workers.lie = lambda answer, action: answer.result.update(cpu_seconds=said)
    builds = [remote.run(control, lambda _: None) for _ in range(2)]
    assert [build.cpu_seconds for build in builds] == [said, said]
    if said:
        with pytest.raises(QuotaError, match="has used 60\\.. s of workers; it may use 60 s"):
            remote.run(control, lambda _: None)
    else:
        assert remote.run(control, lambda _: None).status is BuildStatus.OK
    remote.close()


@pytest.mark.parametrize("said", [-0.1, 1e12])
def test_cpu_time_that_cannot_be_is_refused(
    remote: RemoteExecutor, control: Action, workers: Workers, said: float
) -> None:
    workers.lie = lambda answer, action: answer.result.update(cpu_seconds=said)
    with pytest.raises(RemoteError, match="s of CPU time for a build that may take 9 s"):
        remote.run(control, lambda _: None)
