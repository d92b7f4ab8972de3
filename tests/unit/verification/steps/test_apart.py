"""Which experiments begin some real time after their control, and which run again because they began too early."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Role, Trace
from pytest_ftc.model.protocols import at_once
from pytest_ftc.model.trace import Program
from pytest_ftc.verification.steps import apart
from pytest_ftc.verification.steps.apart import must_wait, run_planned

GAP = 0.4


def trace(path: str) -> Trace:
    program = Program(pid=1, argv=(path,), folder="/", program=path, parent=-1, exit_code=0, ended=1)
    return Trace(programs=(program,), read=(), written=(), contents=(), moved=(), connected=(), gaps=())


def action(role: Role, shift: int) -> Action:
    environment = Environment(build_path="/b", home="/h", temp_dir="/tmp", clock_shift=shift)
    return Action(
        id=role.value, role=role, command=("true",), snapshot=Path("/"), environment=environment, described={},
        outputs=("x",), timeout=1,
    )  # fmt: skip


CONTROL, EXPERIMENT = action(Role.CONTROL, 0), action(Role.EXPERIMENT, 86400)


class Runs:
    """Returns the result of the role, with the moment when it ran."""

    def __init__(self, **results: BuildResult) -> None:
        self.results = results
        self.ran: list[tuple[str, float]] = []

    def run(self, action, started, may_start=at_once):
        while (allowed := may_start(0.05)) is None:
            pass
        now = time.time()
        result = replace(self.results[action.id], id=action.id, started=now)
        if allowed:
            self.ran.append((action.id, now))
            started(now)
            time.sleep(0.05)
        return result

    def cancel(self): ...


def result(role: Role, seen: Trace | None = None, **more) -> BuildResult:
    return BuildResult(**{"id": "", "role": role, "environment": {}, "status": BuildStatus.OK, "trace": seen, **more})


@pytest.fixture(autouse=True)
def _short_gap(monkeypatch):
    monkeypatch.setattr(apart, "REAL_GAP", GAP)
    monkeypatch.setattr(apart, "APART", GAP * 0.9)


def run(seen: Trace | None, *, at_once: bool = False, experiment: BuildResult | None = None):
    runs = Runs(control=result(Role.CONTROL, seen), experiment=experiment or result(Role.EXPERIMENT))
    builds = run_planned(runs, (CONTROL, EXPERIMENT), at_once=at_once)
    return runs.ran, builds


def test_an_experiment_waits():
    ran, builds = run(trace("/usr/bin/tar"))
    assert [name for name, _ in ran] == ["control", "experiment"]
    assert ran[1][1] - ran[0][1] >= GAP * 0.9
    assert not builds[1].no_gap


def test_an_experiment_does_not_wait_for_nothing_and_says_so():
    ran, builds = run(trace("/usr/bin/sort"))
    assert 0.05 <= ran[1][1] - ran[0][1] < GAP / 2
    assert builds[1].no_gap
    assert not builds[0].no_gap


def test_they_begin_together_if_the_last_control_needed_no_gap():
    ran, builds = run(trace("/usr/bin/sort"), at_once=True)
    assert ran[1][1] - ran[0][1] < 0.05
    assert builds[1].no_gap


def test_an_experiment_that_should_have_waited_runs_again():
    ran, builds = run(trace("/usr/bin/tar"), at_once=True)
    assert [name for name, _ in ran] == ["control", "experiment", "experiment"]
    assert ran[2][1] - ran[0][1] >= GAP
    assert builds[1].started == ran[2][1]
    assert not builds[1].no_gap


@pytest.mark.parametrize("together", [False, True])
def test_an_experiment_whose_clock_was_not_moved_runs_again(together):
    unmoved = result(Role.EXPERIMENT, not_applied={"time": "a 32-bit call"})
    ran, builds = run(trace("/usr/bin/sort"), at_once=together, experiment=unmoved)
    assert [name for name, _ in ran] == ["control", "experiment", "experiment"]
    assert ran[2][1] - ran[0][1] >= GAP
    assert not builds[1].no_gap


def test_a_failed_build_is_not_run_again():
    failed = result(Role.EXPERIMENT, status=BuildStatus.FAILED, not_applied={"time": "x"})
    ran, builds = run(trace("/usr/bin/tar"), at_once=True, experiment=failed)
    assert len(ran) == len(builds) == 2


def test_the_real_clock_is_waited_for():
    assert must_wait((CONTROL, action(Role.EXPERIMENT, 0)), result(Role.CONTROL, trace("/usr/bin/sort")))
    assert not must_wait((CONTROL, EXPERIMENT), result(Role.CONTROL, trace("/usr/bin/sort")))
