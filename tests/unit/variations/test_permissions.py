"""The umask, and the modes of the sources."""

from functools import reduce

import pytest

from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.variations.source_mode import SourceMode
from pytest_ftc.variations.umask import Umask

CONTROL = Environment(build_path="/b", home="/h", temp_dir="/t")
MACHINE = Machine(isolation=Isolation.USER)
REACHED_BY_022 = 0o022
ALL = 0o077


def umasks(experiments: int) -> list[int]:
    return [Umask().take_turn(turn).vary(CONTROL, "", MACHINE).umask for turn in range(1, experiments + 1)]


def test_every_bit_that_common_umasks_reach_differs_in_one_of_two_experiments():
    differs = reduce(int.__or__, (mask ^ CONTROL.umask for mask in umasks(2)))
    assert differs == ALL & ~0o002, "others may write under no usual umask"


def test_the_first_experiment_both_gives_and_takes_rights():
    """So that neither ``chmod a+rX`` nor ``chmod go-w`` hides it."""
    (first,) = umasks(1)
    assert CONTROL.umask & ~first == 0o020
    assert first & ~CONTROL.umask == 0o005
    assert Umask().describe(Umask().vary(CONTROL, "", MACHINE)) == "0007"


@pytest.mark.parametrize("turn", range(1, 9))
def test_sources_never_seem_to_come_from_the_umask_of_the_build(turn):
    environment = Umask().take_turn(turn).vary(CONTROL, "", MACHINE)
    environment = SourceMode().take_turn(turn).vary(environment, "", MACHINE)
    assert environment.source_umask not in (None, environment.umask)
    assert SourceMode().describe(environment) == f"as under umask {environment.source_umask:04o}"


def test_the_control_has_the_modes_of_the_project():
    assert SourceMode().describe(CONTROL) == "as in the project"
