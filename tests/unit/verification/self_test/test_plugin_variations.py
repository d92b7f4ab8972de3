"""A variation of a plugin counts only if a program sees all that it changes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from pytest_ftc.builds.local import LocalExecutor
from pytest_ftc.builds.machine import survey_machine
from pytest_ftc.builds.workspace import Workspace
from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.verification.self_test.plugin_variations import try_effect, why_unseen


@dataclass(frozen=True)
class Custom:
    """A variation that does what it is told."""

    change: Callable[[Environment, str], Environment]
    name = "custom"
    mechanism = "anything"

    def unavailable(self, machine: Machine) -> str | None:
        return None

    def vary(self, environment: Environment, token: str, machine: Machine) -> Environment:
        return self.change(environment, token)

    def describe(self, environment: Environment) -> str:
        return ""


def set_editor(environment: Environment, token: str) -> Environment:
    return environment.with_variables(EDITOR=f"ed-{token}")


SEEN = {
    "a variable": set_editor,
    "the umask": lambda environment, _: replace(environment, umask=0o077),
    "an hour": lambda environment, _: replace(environment, clock_shift=3600),
    "host and domain": lambda environment, token: replace(environment, host=f"h-{token}", domain=f"{token}.invalid"),
    "several": lambda environment, token: replace(set_editor(environment, token), cpus=1, umask=0o007),
}
UNSEEN = {
    "CPUs that are not there": (lambda environment, _: replace(environment, cpus=9999), "for cpus in both"),
    "less than builds differ by themselves": (
        lambda environment, _: replace(environment, clock_shift=30),
        "for clock_shift in both environments",
    ),
    "one seen and one not": (
        lambda environment, token: replace(set_editor(environment, token), cpus=9999),
        "for cpus in both",
    ),
}


@pytest.fixture(scope="module")
def looked():
    with Workspace() as workspace:
        machine = survey_machine(workspace.path)
        if machine.isolation is Isolation.NONE or not machine.faketime or machine.cpus < 2:
            kinds = {"a variable", "the umask", "CPUs that are not there"}
        else:
            kinds = {*SEEN, *UNSEEN}
        told = {}
        for number, name in enumerate(sorted(kinds)):
            folder = workspace.folder(f"look-{number}")
            executor = LocalExecutor(machine, folder / "work", folder / "logs", jobs=2)
            change = SEEN[name] if name in SEEN else UNSEEN[name][0]
            told[name] = why_unseen(executor, machine, Custom(change), folder)
    return told


def test_what_a_program_sees_counts(looked):
    assert {name: why for name, why in looked.items() if name in SEEN and why} == {}


def test_what_it_does_not_see_is_told(looked):
    for name, why in looked.items():
        if name in UNSEEN:
            assert UNSEEN[name][1] in why, (name, why)


def test_an_effect_is_known_by_what_it_does():
    machine = Machine(isolation=Isolation.USER)
    one = try_effect(Custom(set_editor), machine)
    assert one == try_effect(Custom(set_editor), machine)
    assert one != try_effect(Custom(lambda environment, token: set_editor(environment, token + "x")), machine)
    assert one and isinstance(one, str)
