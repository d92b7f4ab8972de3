"""What common programs can bring in."""

import pytest

from pytest_ftc.diagnosis.culprits.abilities import can_bring_in
from pytest_ftc.diagnosis.culprits.flow import Flow
from pytest_ftc.model import Program, Trace


def can(cause: str, *argv: str, real: str = "", order: bool = False, seed: str | None = None, **recorded) -> bool:
    one = Program(pid=1, argv=argv, folder="/b", program=real or argv[0], parent=-1, exit_code=0, hash_seed=seed)
    told = {"read": (), "written": (), "contents": (), "moved": (), **recorded}
    return can_bring_in(Flow(Trace(programs=(one,), connected=(), gaps=(), **told)), 0, cause, order=order)


@pytest.mark.parametrize("cause", ["time", "num_cpus", "random"])
def test_of_a_program_that_is_not_known_anything_may_come(cause):
    assert can(cause, "frobnicate")


def test_a_program_brings_in_what_it_tells():
    assert can("time", "/bin/date", "+%s")
    assert can("domain_host", "uname")
    assert not can("domain_host", "date")
    assert not can("time", "sed", "s/a/b/")


def test_an_order_by_language_is_of_who_sorts():
    assert can("locales", "awk", "1")
    assert can("locales", "sort", order=True)
    assert not can("locales", "sha256sum", "both")
    assert not can("locales", "awk", "1", order=True)


def test_who_reads_the_devices_of_chance_or_asks_for_it_can_bring_it_in():
    assert not can("random", "od", "-An", "n")
    assert can("random", "od", "-An", read=((0, "/dev/urandom"),))
    assert can("random", "cc1", random=(0,))


def test_files_of_the_system_may_tell_anything():
    assert can("domain_host", "cat", "/etc/hostname")
    assert not can("domain_host", "cat", "/dev/null")


def test_only_some_interpreters_have_a_hash_seed():
    assert can("hash_seed", "python3", "x.py", seed="")
    assert not can("hash_seed", "frobnicate")


def test_what_sh_is_decides_what_it_can():
    assert can("time", "sh", real="/usr/bin/bash")
    assert not can("time", "sh", real="/usr/bin/dash")
    assert can("pid", "sh", real="/usr/bin/dash")


def test_a_listing_tells_its_order_and_a_time_only_where_it_is_asked_for_one():
    assert can("fileordering", "find", "src", "-name", "*.c")
    assert not can("time", "find", "src", "-type", "f", "-name", "*.c")
    assert can("time", "find", "src", "-printf", "%T@")
    assert can("time", "find", "src", "-newer", "stamp")


def test_a_cause_that_is_not_known_may_come_from_all_but_those_that_pass_on():
    assert can("unknown", "date", "+%b%Y")
    assert can("unknown", "find", "src")
    assert not can("unknown", "cp", "a", "b")
