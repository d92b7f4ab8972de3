"""Answers that belong to another build are refused: a server may return a result that it has kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ftc.integrations.reapi import api
from pytest_ftc.integrations.reapi.address import RemoteAddress
from pytest_ftc.integrations.reapi.builds import answer, executor
from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.builds.workers import Workers
from pytest_ftc.integrations.reapi.dispatch import Policy
from pytest_ftc.integrations.reapi.errors import RemoteError
from pytest_ftc.integrations.reapi.operations import Executed
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Replica, Role
from pytest_ftc.model.digest import Digest

BUILD = Action(
    id="a-control",
    role=Role.CONTROL,
    command=("true",),
    snapshot=Path("/nowhere"),
    environment=Environment(build_path="/b", home="/h", temp_dir="/t", variables={}),
    described={},
    outputs=("out",),
    timeout=9,
)


class Farm:
    """What a farm without workers answers: the result of the newest build, or of the one in `kept`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        self.properties: list[dict[str, str]] = []
        self.kept: str | None = None
        monkeypatch.setattr(executor, "describe_build", self._describe)
        monkeypatch.setattr(RemoteExecutor, "_execute", self._execute)
        monkeypatch.setattr(answer, "_read", self._read)

    def _describe(self, action: Action, _: object, properties: dict[str, str]) -> tuple[Digest, dict[Digest, bytes]]:
        self.asked.append(action.id)
        self.properties.append(properties)
        return Digest.of(b"action"), {}

    async def _execute(self, *_: Any) -> Executed:
        return Executed(result=api.ActionResult(), cached=False, worker="w", operation="o", message="")

    async def _read(self, *_: Any) -> BuildResult:
        return BuildResult(
            id=self.kept or self.asked[-1], role=Role.CONTROL, environment={}, status=BuildStatus.OK, started=1.0
        )


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[RemoteExecutor]:
    made = RemoteExecutor(RemoteAddress(target="127.0.0.1:1"), tmp_path, tmp_path / "logs", Workers(), Policy())
    yield made
    made.close()


def test_the_result_of_an_earlier_build_of_the_same_name_is_refused(
    remote: RemoteExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = Farm(monkeypatch)
    first = remote.run(BUILD, lambda _: None)
    assert first.status is BuildStatus.OK
    assert first.id == "a-control"
    farm.kept = farm.asked[0]
    with pytest.raises(RemoteError, match="the answer is that of another build"):
        remote.run(BUILD, lambda _: None)
    assert len(set(farm.asked)) == 2


def test_each_replica_is_built_on_workers_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    farm, address = Farm(monkeypatch), RemoteAddress(target="127.0.0.1:1")
    pools = {Replica.CONTROL: {"pool": "a"}, Replica.EXPERIMENT: {"pool": "b", "os": "y"}}
    remote = RemoteExecutor(address, tmp_path, tmp_path / "logs", Workers({"os": "x"}, pools), Policy())
    for replica in (Replica.CONTROL, Replica.EXPERIMENT, None):
        remote.run(replace(BUILD, environment=replace(BUILD.environment, replica=replica)), lambda _: None)
    remote.close()
    assert remote.replicas == (Replica.CONTROL, Replica.EXPERIMENT)
    assert farm.properties == [{"os": "x", "pool": "a"}, {"os": "y", "pool": "b"}, {"os": "x"}]
