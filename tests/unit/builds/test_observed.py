"""Watching builds from another thread."""

from collections.abc import Callable
from pathlib import Path

from pytest_ftc.builds.observed import ObservedExecutor
from pytest_ftc.model import Action, BuildResult, BuildStatus, Environment, Role
from pytest_ftc.model.protocols import MayStart, at_once


def action(role: Role) -> Action:
    return Action(
        id=role.value,
        artifact="app",
        role=role,
        command=("true",),
        snapshot=Path("/"),
        environment=Environment(build_path="/b", home="/h", temp_dir="/tmp"),
        described={},
        outputs=("x",),
        timeout=1,
    )


class Inner:
    """An executor that looks at what is told of it before and after its command starts, and builds one more inside."""

    def __init__(self) -> None:
        self.watched = ObservedExecutor(self)
        self.seen: list[str] = []
        self.inside: list[Role] = []
        self.cancelled = False

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        self.seen.append(self.watched.look("app").doing)
        started(0.0)
        self.seen.append(self.watched.look("app").doing)
        if self.inside:
            self.watched.run(_action(self.inside.pop()), lambda _: None)
        return BuildResult(id=action.id, role=action.role, environment={}, status=BuildStatus.OK)

    def cancel(self) -> None:
        self.cancelled = True


_action = action


def test_it_tells_the_phases_of_a_verification():
    inner = Inner()
    told = [inner.watched.look("app").doing]
    moments: list[float] = []
    inner.inside = [Role.EXPERIMENT]
    inner.watched.run(action(Role.CONTROL), moments.append)
    told += [*inner.seen, inner.watched.look("app").doing]
    assert told == [
        "preparing", "", "control build", "control build", "control and experiment build", "comparing",
    ]  # fmt: skip
    assert moments == [0.0]
    inner.watched.run(action(Role.BISECT), moments.append)
    assert inner.watched.look("app").doing == "diagnosing"
    assert inner.watched.look("other").doing == "preparing"
    inner.watched.cancel()
    assert inner.cancelled


def test_a_build_that_waits_for_others_says_so():
    seen = []

    class Waiting(Inner):
        def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
            seen.append(watched.look("app").held_up)
            started(0.0)
            seen.append(watched.look("app").held_up)
            return BuildResult(id=action.id, role=action.role, environment={}, status=BuildStatus.OK)

    watched = ObservedExecutor(Waiting(), lambda: True)
    assert not watched.look("app").held_up
    watched.run(action(Role.CONTROL), lambda _: None)
    assert seen == [True, False]
