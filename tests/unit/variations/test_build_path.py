from pathlib import PurePosixPath

import pytest

from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.variations.build_path import BuildPath

CONTROL = Environment(build_path="/ftc-build-aaaaaa/app", home="/h", temp_dir="/t")
MACHINE = Machine(isolation=Isolation.USER)


def path(turn: int) -> str:
    return BuildPath().take_turn(turn).vary(CONTROL, "bbbbbb", MACHINE).build_path


def is_plain(path: str) -> bool:
    return path.isascii() and " " not in path and len(path) < 100


def test_the_first_experiments_have_plain_paths():
    assert is_plain(path(1))
    assert is_plain(path(2))


def test_further_experiments_have_spaces_other_letters_and_long_paths():
    paths = [path(turn) for turn in range(3, 7)]
    assert any(" " in one for one in paths)
    assert any(not one.isascii() for one in paths)
    assert any(len(one) > 200 for one in paths)


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_path_can_be_made_and_shows_its_build(turn):
    parts = PurePosixPath(path(turn)).parts
    assert parts[1] == "ftc-build-bbbbbb"
    assert parts[-1] == "app-bbbbbb"
    assert all(len(part.encode()) < 256 for part in parts)
    assert len(path(turn).encode()) < 1024
