"""The variation ``machine``: it exists everywhere, and is in the presets where a farm has two kinds of workers."""

from __future__ import annotations

import pytest

from pytest_ftc.config.contributions import NOTHING
from pytest_ftc.model import Environment, Isolation, Machine, Replica
from pytest_ftc.variations import OtherMachine
from pytest_ftc.variations.specification import parse_specification

POOLS = {Replica.CONTROL: {"pool": "a"}, Replica.EXPERIMENT: {"pool": "b", "arch": "x"}}
MACHINE = Machine(isolation=Isolation.USER)
PLAIN = Environment(build_path="/b", home="/h", temp_dir="/t")
HERE, FARM = NOTHING.vocabulary, NOTHING.vocabulary.with_other_machine(OtherMachine(POOLS))


def test_it_moves_experiments_to_the_other_workers() -> None:
    other = OtherMachine(POOLS)
    control = other.settle_control(PLAIN)
    experiment = other.vary(control, "token", MACHINE)
    assert other.unavailable(MACHINE) is None
    assert (control.replica, experiment.replica) == (Replica.CONTROL, Replica.EXPERIMENT)
    assert (other.describe(control), other.describe(experiment)) == ("pool=a", "arch=x, pool=b")


def test_where_there_is_one_machine_it_says_so() -> None:
    assert OtherMachine().settle_control(PLAIN) == PLAIN
    assert "[tool.ftc.remote.replicas]" in (OtherMachine().unavailable(MACHINE) or "")


@pytest.mark.parametrize(
    ("text", "here", "on_a_farm"),
    [
        ("all", False, True),
        ("standard", False, True),
        ("quick", False, False),
        ("machine", True, True),
        ("quick,machine", True, True),
        ("all,-machine", False, False),
        ("-machine", False, False),
        ("-umask", False, True),
    ],
)
def test_it_is_chosen_by_its_name_and_by_presets_on_a_farm(text: str, here: bool, on_a_farm: bool) -> None:
    for vocabulary, expected in ((HERE, here), (FARM, on_a_farm)):
        specification = parse_specification(text, vocabulary)
        assert ("machine" in specification.names) is expected
        chosen = specification.select(vocabulary.variations)
        assert ("machine" in [one.name for one in chosen]) is expected
        assert len(chosen) == len(specification.names)


def test_on_a_farm_it_is_the_one_with_the_workers() -> None:
    (machine,) = parse_specification("machine", FARM).select(FARM.variations)
    assert machine == OtherMachine(POOLS)
