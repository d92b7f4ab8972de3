"""What an environment plants."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted import CONTROL, NOW

from pytest_ftc.diagnosis.canaries.planted import Surroundings, Window, planted_by, utc_offset
from pytest_ftc.model import BuildResult, BuildStatus, Environment, Isolation, KernelName, Machine, Role
from pytest_ftc.model.build_inputs import Host


@pytest.mark.parametrize(
    ("zone", "ahead"),
    [
        ("UTC", 0),
        ("", 0),
        ("FTC-14", 50400),
        ("EST5", -18000),
        ("<+0330>-3:30", 12600),
        ("Europe/Berlin", 3600),
        ("No/Where", 0),
    ],
)
def test_a_zone_is_ahead_of_utc(zone, ahead):
    assert utc_offset(zone, NOW) == ahead


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_a_window_keeps_its_length_when_moved(start, seconds):
    moved = Window(start, start + 10).moved(seconds)
    assert abs(moved.end - moved.start - 10) < 1e-6


def test_the_locale_is_the_first_variable_that_is_set():
    assert replace(CONTROL, variables={"LC_ALL": "", "LANG": "et_EE"}).locale == "et_EE"
    assert replace(CONTROL, variables={}).locale == "C"


def test_on_a_farm_kernel_and_cpu_are_those_of_the_worker():
    around = Surroundings(machine=Machine(isolation=Isolation.USER), release="6.12.1-here")
    host = Host(kernel="Linux 6.1.0-there #1 SMP", cpu="x86_64 Intel Xeon Platinum")
    environment = Environment(build_path="/b", home="/h", temp_dir="/t")
    build = BuildResult(id="a", role=Role.CONTROL, environment={}, status=BuildStatus.OK)
    here, there = (planted_by(environment, replace(build, host=one), around) for one in (None, host))
    assert (here.release, here.cpu) == ("6.12.1-here", "")
    assert (there.release, there.cpu) == ("6.1.0-there", "Intel Xeon Platinum")
    old = planted_by(replace(environment, kernel=KernelName.OLD), replace(build, host=host), around)
    assert old.release == "2.6.61-there"
