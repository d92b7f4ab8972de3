"""What the values of a place point to in two builds."""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.diagnosis.plugin_diagnosers import Panel
from pytest_ftc.diagnosis.suspects import Suspects
from pytest_ftc.model import (
    BuildResult,
    BuildStatus,
    Cause,
    Conditions,
    Environment,
    Field,
    Isolation,
    Machine,
    Place,
    Role,
    Snapshot,
    Strength,
    Suspicion,
)

CONTROL = Environment(build_path="/build/one", home="/home/one", temp_dir="/tmp/one", umask=0o022)
OTHER = replace(CONTROL, build_path="/other/place", home="/home/two", clock_shift=400 * 86400)
DAY = 86400
STARTED = 1_700_000_000.0


def build(name: str) -> BuildResult:
    return BuildResult(id=name, role=Role.CONTROL, environment={}, status=BuildStatus.OK, started=STARTED, seconds=2.0)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, moment in (("old", 1_500_000_000), ("new", 1_500_000_100)):
        (tmp_path / name).write_text("x")
        os.utime(tmp_path / name, (moment, moment))
    return tmp_path


def suspects(source: Path, panel: Panel | None = None, **owners: str) -> Suspects:
    snapshot = Snapshot(path=source, git_dir=None, git_link=None, commit_time=None)
    machine = Machine(isolation=Isolation.USER)
    return Suspects({"one": CONTROL, "two": OTHER}, owners, snapshot, machine, panel)


def place(control: str, experiment: str, field: Field = Field.CONTENT) -> Place:
    return Place(field=field, location="line 1", control=control.encode(), experiment=experiment.encode())


def causes(found: Iterable[Suspicion]) -> list[str]:
    return [one.cause for one in found]


@pytest.mark.parametrize(
    ("control", "experiment", "cause"),
    [
        ("at /build/one/x.c", "at /other/place/x.c", Cause.BUILD_PATH),
        ("HOME=/home/one", "HOME=/home/two", Cause.HOME),
        (str(int(STARTED) + 1), str(int(STARTED) + 1 + 400 * DAY), Cause.TIME),
    ],
)
def test_each_build_is_read_by_what_its_own_environment_planted(source, control, experiment, cause):
    found = suspects(source)
    first = found.suspect(place(control, experiment), build("one"), build("two"))[0]
    assert (first.cause, first.strength >= Strength.STRONG) == (cause, True)
    swapped = found.suspect(place(experiment, control), build("one"), build("two"))
    assert not any(one.cause == cause and one.strength >= Strength.STRONG for one in swapped)


def test_the_order_of_the_builds_is_that_of_the_values(source):
    (first, *_) = suspects(source).suspect(place("/other/place", "/build/one"), build("two"), build("one"))
    assert first.cause == Cause.BUILD_PATH


def test_times_of_the_sources_are_known(source):
    moved = suspects(source)
    moved._environments = {"one": CONTROL, "two": replace(CONTROL, source_mtime_shift=-3 * DAY)}
    found = moved.suspect(place("1500000000", str(1_500_000_000 - 3 * DAY), Field.MTIME), build("one"), build("two"))
    assert causes(found)[0] == Cause.SOURCE_MTIME


def test_a_project_without_files_has_no_times_of_sources(tmp_path):
    found = suspects(tmp_path).suspect(place("/build/one", "/other/place"), build("one"), build("two"))
    assert causes(found)[0] == Cause.BUILD_PATH


def test_diagnosers_of_plugins_hear_the_conditions_of_both_builds_by_their_own_clocks(source):
    heard: list[Conditions] = []

    class Theirs:
        def suspect(self, leaf: Place, control: Conditions, experiment: Conditions) -> list[Suspicion]:
            heard.extend((control, experiment))
            return [Suspicion("gpu", Strength.STRONG, "1", "2", "theirs")]

    found = suspects(source, Panel([Theirs()], ["gpu"])).suspect(place("a", "b"), build("one"), build("two"))
    assert "gpu" in causes(found)
    assert [one.environment for one in heard] == [CONTROL, OTHER]
    assert [(one.started, one.ended) for one in heard] == [
        (STARTED, STARTED + 2),
        (STARTED + 400 * DAY, STARTED + 400 * DAY + 2),
    ]


def test_a_variable_that_a_plugin_varies_is_told_by_the_name_of_its_variation(source):
    found = suspects(source, GPU_MODEL="gpu")
    found._environments = {
        "one": CONTROL.with_variables(GPU_MODEL="model-alpha-1"),
        "two": OTHER.with_variables(GPU_MODEL="model-beta-22"),
    }
    told = found.suspect(place("model-alpha-1", "model-beta-22"), build("one"), build("two"))
    assert causes(told)[:1] == ["gpu"]
