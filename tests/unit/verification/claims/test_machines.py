"""Whether builds ran on two machines is seen from the workers' names, or from what the machines say of themselves."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_ftc.model import BuildResult, BuildStatus, Role
from pytest_ftc.model.build_inputs import Host
from pytest_ftc.verification.claims.machines import describe_machines, find_same_machine

HERE, THERE = Host(machine="m1", boot="b1"), Host(machine="m2", boot="b2")


def build(role: Role = Role.EXPERIMENT, **fields: Any) -> BuildResult:
    return BuildResult(id="a", role=role, environment={}, status=BuildStatus.OK, **fields)


def why_same(control: dict[str, Any], *experiments: dict[str, Any]) -> str:
    builds = [build(Role.CONTROL, **control), *(build(**fields) for fields in experiments)]
    assert find_same_machine(builds, ["umask"]) == {}
    return find_same_machine(builds, ["umask", "machine"]).get("machine", "")


def test_workers_of_other_names_are_other_machines() -> None:
    assert why_same({"worker": "a"}, {"worker": "b"}, {"worker": "c"}) == ""
    assert why_same({"worker": "a", "host": HERE}, {"worker": "b", "host": HERE}) == ""


def test_one_experiment_on_the_control_s_worker_is_enough() -> None:
    found = why_same({"worker": "a"}, {"worker": "b"}, {"worker": "a"})
    assert found == "control and experiment ran on the same worker, a"


@pytest.mark.parametrize("other", [{"host": THERE}, {"host": Host(boot="b2")}, {"host": Host(machine="m2")}])
def test_without_names_the_machines_tell(other: dict[str, Any]) -> None:
    assert why_same({"host": HERE}, other) == ""
    assert why_same({"host": HERE, "worker": "a"}, other) == ""


@pytest.mark.parametrize("other", [{}, {"host": Host()}, {"host": HERE}, {"host": Host(boot="b1")}])
def test_what_is_unknown_is_not_claimed(other: dict[str, Any]) -> None:
    assert "does not name its workers" in why_same({"host": HERE}, other)


def test_the_note_says_what_differs_and_what_does_not() -> None:
    control = build(
        Role.CONTROL,
        worker="a",
        host=Host(kernel="Linux 6.1", image="debian 12", cpu="x86_64 Xeon"),
        tools={"/bin/cc": "1", "/bin/as": "2"},
    )
    experiment = build(
        worker="b",
        host=Host(kernel="Linux 6.1", image="", cpu="x86_64 EPYC"),
        tools={"/bin/cc": "1", "/bin/as": "3"},
    )
    (note,) = describe_machines([control, experiment], ["machine"])
    assert note == (
        "machines: a and b; operating system: debian 12, and unknown; CPU: x86_64 Xeon, and x86_64 EPYC; "
        "not the same file: /bin/as; the same kernel"
    )
    assert describe_machines([control, experiment], ["umask"]) == ()
    assert describe_machines([control], ["machine"]) == ()
