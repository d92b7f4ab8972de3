"""The times of source files in experiments."""

import time
from dataclasses import replace

import pytest

from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.model.support.epoch import SOURCES_EPOCH
from pytest_ftc.variations.source_mtime import SourceMtime

CONTROL = Environment(build_path="/ftc-build-aaaaaa/app", home="/h", temp_dir="/t")
MACHINE = Machine(isolation=Isolation.USER)


def shift(turn, clock_shift=0):
    environment = replace(CONTROL, clock_shift=clock_shift)
    return SourceMtime().take_turn(turn).vary(environment, "", MACHINE).source_mtime_shift


def test_every_experiment_has_its_own_times():
    assert len({shift(turn) for turn in range(1, 9)} | {0}) == 9


@pytest.mark.parametrize("clock_shift", [0, 34_000_000])
def test_one_has_sources_some_weeks_older_than_its_clock(clock_shift):
    now = time.time() + clock_shift
    recent = SOURCES_EPOCH + shift(2, clock_shift)
    assert 39 * 86400 < now - recent < 42 * 86400


@pytest.mark.parametrize("turn", [1, *range(3, 9)])
def test_in_all_others_they_are_older_than_any_age_limit(turn):
    assert time.time() - (SOURCES_EPOCH + shift(turn)) > 20 * 365 * 86400


@pytest.mark.parametrize("ahead", [14, -11])
@pytest.mark.parametrize("moment", [SOURCES_EPOCH, SOURCES_EPOCH + shift(1)])
def test_their_date_is_another_one_in_the_zones_of_the_builds(moment, ahead):
    assert (moment + ahead * 3600) // 86400 != moment // 86400
