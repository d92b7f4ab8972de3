"""A farm inside the test whose workers lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from farms import Farm, address_of
from lying_workers import Workers

from pytest_ftc.integrations.reapi.builds.executor import RemoteExecutor
from pytest_ftc.integrations.reapi.builds.workers import Workers as Kinds
from pytest_ftc.integrations.reapi.dispatch import Policy
from pytest_ftc.model import Action, Environment, Role


@pytest.fixture
def workers(farm: Farm) -> Workers:
    return Workers(farm)


@pytest.fixture
def remote(farm: Farm, tmp_path: Path) -> Iterator[RemoteExecutor]:
    made = RemoteExecutor(address_of(farm), tmp_path, tmp_path / "logs", Kinds(), Policy(retries=0))
    yield made
    made.close()


@pytest.fixture
def control(tmp_path: Path) -> Action:
    (tmp_path / "source").mkdir()
    return Action(
        id="a-control",
        artifact="a",
        role=Role.CONTROL,
        command=("true",),
        snapshot=tmp_path / "source",
        environment=Environment(build_path="/b", home="/h", temp_dir="/t", variables={}),
        described={},
        outputs=("out*",),
        timeout=9,
    )
