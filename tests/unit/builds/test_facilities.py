"""What a worker lacks of what the surveyed one has."""

from dataclasses import replace

import pytest

from pytest_ftc.builds.facilities import find_lacks, find_other_isolation
from pytest_ftc.model import Environment, Isolation, Machine

FULL = Machine(
    isolation=Isolation.USER,
    faketime="/lib/libfaketime.so.1",
    locales=("C.utf8", "et_EE.utf8"),
    zoneinfo=True,
    work_dir="/work",
    work_filesystem="ext4",
    cpus=4,
    online=True,
)
ENVIRONMENT = Environment(build_path="/b", home="/h", temp_dir="/t", variables={"LC_ALL": "et_EE.UTF-8"})


@pytest.mark.parametrize(
    ("fields", "variations"),
    [
        ({}, []),
        ({"fresh_proc": False, "fresh_proc_reason": "masked"}, ["pid"]),
        ({"faketime": "", "faketime_reason": "none"}, ["time"]),
        ({"personality_reason": "refused"}, ["aslr", "kernel"]),
        ({"cpus": 2}, ["num_cpus"]),
        ({"zoneinfo": False}, ["timezone"]),
        ({"online": False}, ["network"]),
        ({"work_filesystem": "tmpfs"}, ["filesystem"]),
        ({"locales": ("C", "C.UTF-8")}, ["locales"]),
    ],
)
def test_each_facility_that_lacks_is_named_with_the_reason(fields, variations):
    lacks = find_lacks(replace(FULL, **fields), FULL, ENVIRONMENT)
    assert list(lacks) == variations
    assert all(reason.removeprefix("on one of the workers, ") for reason in lacks.values())
    # What the surveyed worker lacks too is in the plan, and what it lacks alone is not varied anyway.
    assert find_lacks(replace(FULL, **fields), replace(FULL, **fields), ENVIRONMENT) == {}
    assert find_lacks(FULL, replace(FULL, **fields), ENVIRONMENT) == {}


def test_another_isolation_is_named_with_the_reason():
    assert find_other_isolation(FULL, FULL) == ""
    none = replace(FULL, isolation=Isolation.NONE, isolation_reason="refused")
    assert find_other_isolation(none, FULL).startswith("this worker isolates builds by none (refused), and the one")
    assert "by user, and" in find_other_isolation(FULL, none)
