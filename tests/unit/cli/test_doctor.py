"""What ``ftc doctor`` makes of the builds that it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_ftc.cli.doctor.examining import NotingExecutor, check
from pytest_ftc.model import Action, BuildResult, BuildStatus, Isolation, Machine, Replica
from pytest_ftc.model.protocols import MayStart, at_once
from pytest_ftc.variations import OtherMachine
from pytest_ftc.variations.umask import Umask

MACHINE = Machine(isolation=Isolation.NONE, path=("/bin",))
KINDS = OtherMachine({Replica.CONTROL: {"pool": "a"}, Replica.EXPERIMENT: {"pool": "b"}})


class Workers:
    """Runs nothing; the worker of each kind has the name in `names`."""

    def __init__(self, names: Mapping[Replica, str], not_applied: Mapping[str, str]) -> None:
        self.names = names
        self.not_applied = not_applied
        self.asked: list[Replica | None] = []

    def run(self, action: Action, started: Callable[[float], None], may_start: MayStart = at_once) -> BuildResult:
        replica = action.environment.replica
        self.asked.append(replica)
        return BuildResult(
            id=action.id,
            role=action.role,
            environment={},
            status=BuildStatus.OK,
            worker=self.names[replica] if replica else "",
            not_applied=self.not_applied,
        )

    def cancel(self) -> None:
        raise AssertionError("nobody cancels")


@pytest.mark.parametrize(
    ("names", "reason"),
    [("ab", ""), ("aa", "control and experiment ran on the same worker, a"), (("", ""), "nothing shows that they are")],
)
def test_two_kinds_of_workers_are_two_machines_only_if_they_are(tmp_path: Path, names: str, reason: str) -> None:
    workers = Workers(dict(zip(Replica, names, strict=True)), {})
    executor = NotingExecutor(workers)
    found = check(MACHINE, [Umask(), KINDS], executor, tmp_path, each=False)
    umask, machine = found.variations
    assert (umask.in_force, machine.in_force) == (True, not reason)
    assert reason in machine.reason
    assert (umask.milliseconds, machine.milliseconds) == (None, None)
    assert executor.workers == {*names} - {""}
    assert workers.asked == [Replica.CONTROL, Replica.EXPERIMENT] * 2


def test_what_a_build_could_not_apply_is_not_in_force(tmp_path: Path) -> None:
    workers = Workers({}, {"umask": "refused", "unknown": "ignored"})
    (umask,) = check(MACHINE, [Umask()], NotingExecutor(workers), tmp_path).variations
    assert (umask.in_force, umask.reason, umask.milliseconds) == (False, "refused", None)
