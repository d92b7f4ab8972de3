"""The time zone of an experiment: there, the date should be another one."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftc.model import Environment, Isolation, Machine
from pytest_ftc.model.machine import ZONES
from pytest_ftc.variations.timezone import Timezone

MACHINE = Machine(isolation=Isolation.USER, zoneinfo=True)
HOURS = {"Pacific/Kiritimati": 14, "Pacific/Pago_Pago": -11}
DAY = 86400


def zone(variation, epoch=""):
    variables = {"SOURCE_DATE_EPOCH": epoch} if epoch else {}
    control = Environment(build_path="/b", home="/h", temp_dir="/t", variables=variables)
    return variation.vary(control, "abcdef", MACHINE).variables["TZ"]


@given(st.integers(0, 2**33))
def test_the_date_of_the_epoch_differs_whatever_its_hour(epoch):
    local = epoch + HOURS[zone(Timezone(), str(epoch))] * 3600
    assert local // DAY != epoch // DAY


@given(st.floats(0, 2**33))
def test_so_does_that_of_the_moment(moment):
    local = moment + HOURS[zone(Timezone(moment=moment))] * 3600
    assert local // DAY != moment // DAY


@pytest.mark.parametrize("epoch", ["", "later", "-1", "1e3", "٣"])
def test_without_either_it_is_the_zone_farthest_ahead(epoch):
    assert zone(Timezone(), epoch) == "Pacific/Kiritimati"


def test_the_epoch_counts_and_not_the_moment():
    assert zone(Timezone(moment=0), str(12 * 3600)) == "Pacific/Kiritimati"


@pytest.mark.parametrize("zone", ZONES)
def test_without_the_database_a_zone_has_the_same_time(zone):
    # In winter, since summer time has no place in these notations.
    command = ["date", "-d", "@1577836800", "+%F %T %z"]
    named, noted = (subprocess.check_output(command, env={**os.environ, "TZ": tz}) for tz in (zone, ZONES[zone]))
    assert named == noted


def test_further_experiments_have_zones_of_their_own():
    turned = [replace(Timezone(), turn=number) for number in (2, 3, 4)]
    assert len({zone(one, "0") for one in turned}) == len(turned)
