"""How many builds a diagnosis may have."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_ftc.diagnosis.canaries.planted import utc_offset
from pytest_ftc.model import Action, Artifact, BuildResult, BuildStatus, Environment, Isolation, Machine, Role, Snapshot
from pytest_ftc.model.machine import ZONES
from pytest_ftc.model.protocols import MayStart
from pytest_ftc.verification.plan import Plan, PlannedArtifact
from pytest_ftc.verification.rebuild import ArtifactRebuilder, RebuildBudget, turn_of_year


def rebuilder(budget: RebuildBudget, executor: Any = None, began: float = 0) -> ArtifactRebuilder:
    control = Action(
        id="a-control",
        role=Role.CONTROL,
        command=("true",),
        snapshot=Path("/nowhere"),
        environment=Environment(build_path="/b", home="/h", temp_dir="/t"),
        described={},
        outputs=("out",),
        timeout=9,
    )
    planned = PlannedArtifact(
        artifact=Artifact(id="a", name="a", source=Path("/nowhere"), build="true", outputs=("out",)),
        source=Snapshot(path=Path("/nowhere"), git_dir=None, git_link=None, commit_time=None),
        machine=Machine(isolation=Isolation.USER),
        plan=Plan(actions=(control,), variations=(), not_varied=()),
    )
    return ArtifactRebuilder(planned, executor, experiment=1, budget=budget, began=began)


def built(seconds: float, role: Role = Role.BISECT) -> BuildResult:
    return BuildResult(id="b", role=role, environment={}, status=BuildStatus.OK, seconds=seconds)


def test_quick_builds_may_be_many_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pytest_ftc.verification.rebuild.time.monotonic", lambda: now[0])
    one = rebuilder(RebuildBudget(builds=10, cheap_builds=40, seconds=600, patience=60))
    other = rebuilder(RebuildBudget(builds=10, cheap_builds=40, seconds=600, patience=240))
    for each in (one, other):
        each.builds += [built(0.1)] * 12
    assert (one.left, other.left) == (28, 28)
    now[0] += 100
    # Four are kept for remedies.
    assert (one.left, other.left) == (4, 28)
    now[0] += 200
    assert (one.left, other.left) == (4, 4)
    now[0] += 300
    assert (one.left, other.left) == (0, 0)


def test_how_long_builds_wait_for_others_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pytest_ftc.verification.rebuild.time.monotonic", lambda: now[0])

    class Busy:
        def run(self, action: Action, on_start: object, may_start: object) -> BuildResult:
            now[0] += 710
            return replace(built(10), queue_seconds=700)

    one = rebuilder(RebuildBudget(builds=12, seconds=600), Busy())
    one.varying([()])
    assert (one.left, one.is_late) == (11, False)
    now[0] += 600
    assert (one.left, one.is_late) == (0, True)


def test_builds_that_wait_for_each_other_take_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("pytest_ftc.verification.rebuild.time.monotonic", lambda: now[0])

    class OneByOne:
        def run(self, action: Action, on_start: object, may_start: object) -> BuildResult:
            now[0] += 400
            return replace(built(400), queue_seconds=now[0] - 1400)

    one = rebuilder(RebuildBudget(builds=12, seconds=600), OneByOne())
    one.varying([(), ()])
    assert [build.queue_seconds for build in one.builds] == [0, 400]
    assert one.is_late


def test_slow_builds_are_few() -> None:
    slow = rebuilder(RebuildBudget(builds=10, cheap_builds=40, seconds=600))
    slow.builds += [built(7.0)] * 3
    assert slow.left == 7


def test_builds_that_are_compared_with_the_control_start_in_no_second_of_it() -> None:
    asked = []

    class Waiting:
        def run(self, action: Action, on_start: object, may_start: MayStart) -> BuildResult:
            asked.append(may_start(0.0))
            return built(0.0)

    for began, may_start in ((time.time() - 1.0, None), (time.time() - 3.0, True)):
        rebuilder(RebuildBudget(builds=10, seconds=600), Waiting(), began).varying([()])
        assert asked.pop() is may_start


@pytest.mark.parametrize("zone", ZONES)
def test_for_an_hour_at_the_turn_of_a_year_each_zone_has_another_year_than_utc(zone: str) -> None:
    utc, varied = (
        Environment(build_path="/b", home="/h", temp_dir="/t", variables={"TZ": name}) for name in ("UTC", ZONES[zone])
    )
    begin = turn_of_year([utc, varied])
    for moment in (begin, begin + 3600):
        local = moment + utc_offset(ZONES[zone], moment)
        assert abs(time.gmtime(local).tm_year - time.gmtime(moment).tm_year) == 1
