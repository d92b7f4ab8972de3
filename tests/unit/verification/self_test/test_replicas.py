"""What counts is what both kinds of machines can do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Action, BuildResult, BuildStatus, Isolation, Machine, Replica
from pytest_ftc.model.errors import ConfigurationError
from pytest_ftc.verification.self_test.replicas import examine, share

ABLE = Machine(
    isolation=Isolation.USER,
    overlay=True,
    faketime="/lib/faketime",
    locales=("C.UTF-8", "de_DE.UTF-8"),
    zoneinfo=True,
    work_filesystem="ext4",
    cpus=8,
    online=True,
    path=("/usr/bin",),
)


def test_machines_share_what_both_have() -> None:
    less = Machine(
        isolation=Isolation.ROOT,
        fresh_proc=False,
        fresh_proc_reason="masked",
        faketime_reason="none",
        locales=("C.UTF-8",),
        work_filesystem="tmpfs",
        cpus=2,
        personality_reason="seccomp",
        path=("/bin",),
        unseen={"umask": "no effect"},
    )
    for one, other in ((ABLE, less), (less, ABLE)):
        both = share(one, other)
        assert both.isolation is one.isolation
        assert (both.overlay, both.fresh_proc, both.zoneinfo, both.online) == (False, False, False, False)
        assert (both.faketime, both.faketime_reason) == ("", "none")
        assert (both.locales, both.cpus, both.work_filesystem) == (("C.UTF-8",), 2, "tmpfs")
        assert (both.fresh_proc_reason, both.personality_reason) == ("masked", "seccomp")
        assert both.unseen == {"umask": "no effect"}
        assert set(both.path) == {"/usr/bin", "/bin"}
    assert share(ABLE, ABLE) == ABLE


@pytest.mark.parametrize("swapped", [False, True])
def test_machines_with_and_without_namespaces_cannot_be_compared(swapped: bool) -> None:
    bare = replace(ABLE, isolation=Isolation.NONE, isolation_reason="refused")
    one, other = (bare, ABLE) if swapped else (ABLE, bare)
    with pytest.raises(ConfigurationError) as raised:
        share(one, other)
    lacks, has = ("control", "experiment") if swapped else ("experiment", "control")
    assert f"workers of {has} have namespaces, those on the workers of {lacks} have none: refused" in str(raised.value)


class Farm:
    """Two kinds of workers, of which one lacks the time zones; no build succeeds."""

    replicas = tuple(Replica)

    def __init__(self) -> None:
        self.ran: list[Replica | None] = []

    def survey(self, replica: Replica | None = None) -> Machine:
        return replace(ABLE, zoneinfo=replica is Replica.CONTROL)

    def run(self, action: Action, started: object, may_start: object = None) -> BuildResult:
        self.ran.append(action.environment.replica)
        return BuildResult(id=action.id, role=action.role, environment={}, status=BuildStatus.LOST, reason="away")

    def cancel(self) -> None: ...

    def close(self) -> None: ...


def test_the_self_test_runs_on_both(tmp_path: Path) -> None:
    farm = Farm()
    with Workspace(tmp_path) as workspace:
        machine, _ = examine(workspace, (), farm, tmp_path / "cache")
    assert sorted(farm.ran) == ["control", "control", "experiment", "experiment"]
    assert not machine.zoneinfo
    assert "away" in machine.unseen["umask"]
