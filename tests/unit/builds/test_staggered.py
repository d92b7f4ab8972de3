import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftc.builds.staggered import run_apart
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Role
from pytest_ftc.model.protocols import MayStart, at_once

GAP = 0.2


def action(name: str) -> Action:
    return Action(
        id=name,
        role=Role.CONTROL,
        command=("true",),
        snapshot=Path("/"),
        environment=Environment(build_path="/b", home="/h", temp_dir="/tmp"),
        described={},
        outputs=("x",),
        timeout=1,
    )


class Recorder:
    """An executor that notes when each build starts; a build of status LOST never starts."""

    def __init__(self, statuses: list[BuildStatus], setup: float = 0.0, length: float = 0.0) -> None:
        self.statuses = dict(zip("abcd", statuses, strict=False))
        self.setup, self.length = setup, length
        self.starts: dict[str, float] = {}
        self.set_up: list[str] = []
        self.lock = threading.Lock()

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        status = self.statuses[action.id]
        self.set_up.append(action.id)
        time.sleep(self.setup)
        while (allowed := may_start(0.1)) is None:
            pass
        if not allowed:
            status = BuildStatus.LOST
        if status is not BuildStatus.LOST:
            self.starts[action.id] = time.monotonic()
            started(time.time())
            time.sleep(self.length)
        return BuildResult(id=action.id, role=action.role, environment={}, status=status)

    def cancel(self) -> None: ...


@pytest.mark.parametrize("setup", [0.0, 0.3])
def test_builds_start_apart_however_long_their_setting_up_takes(setup: float) -> None:
    recorder = Recorder([BuildStatus.OK] * 3, setup=setup, length=1.0)
    results = run_apart(recorder, [action(name) for name in "abc"], gap=GAP)
    assert [result.id for result in results] == ["a", "b", "c"]
    a, b, c = (recorder.starts[name] for name in "abc")
    assert b - a >= GAP
    assert c - b >= GAP
    assert c - a < 1.0 or setup, "they overlap"


@pytest.mark.parametrize("status", [BuildStatus.FAILED, BuildStatus.LOST, BuildStatus.TIMEOUT])
def test_no_experiment_is_started_once_the_control_has_failed(status: BuildStatus) -> None:
    recorder = Recorder([status, BuildStatus.OK, BuildStatus.OK])
    results = run_apart(recorder, [action(name) for name in "abc"], gap=GAP)
    assert [result.id for result in results] == ["a"]
    assert "b" not in recorder.starts


def test_an_environment_is_set_up_while_the_gap_passes() -> None:
    recorder = Recorder([BuildStatus.OK] * 2, setup=GAP * 0.8)
    run_apart(recorder, [action(name) for name in "ab"], gap=GAP)
    assert GAP <= recorder.starts["b"] - recorder.starts["a"] < GAP * 1.5


def test_an_experiment_that_was_set_up_is_not_started_once_the_control_has_failed() -> None:
    recorder = Recorder([BuildStatus.FAILED, BuildStatus.OK], length=GAP / 3)
    results = run_apart(recorder, [action(name) for name in "ab"], gap=GAP)
    assert [result.id for result in results] == ["a"]
    assert recorder.set_up == ["a", "b"]
    assert "b" not in recorder.starts
