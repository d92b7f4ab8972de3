"""Conclusions from the observations of one place."""

from dataclasses import replace

import pytest

from pytest_ftc.diagnosis.canaries.numbers import AN_INODE
from pytest_ftc.diagnosis.case import Case
from pytest_ftc.diagnosis.conclude import conclude, let_follow
from pytest_ftc.diagnosis.group_testing import Observation
from pytest_ftc.diagnosis.places import Key
from pytest_ftc.model import Cause, Field, Place, Strength, Suspicion

EVERYTHING = frozenset({"time", "umask", "build_path", "num_cpus"})


def _case(*causes):
    place = Place(field=Field.CONTENT, location="attribute /a/@time", control=b"0.000", experiment=b"0.001")
    found = [Suspicion(cause, Strength.STRONG, "0.000", "0.001", "") for cause in causes]
    groups = [frozenset({name}) for name in sorted(EVERYTHING)] * 6 + [frozenset()] * 4
    return Case(
        place, found, [Observation(EVERYTHING, True), *(Observation(group, "time" in group) for group in groups)]
    )


def test_a_duration_that_differs_only_where_the_clock_is_varied_is_a_suspected_duration():
    assert conclude(_case(Cause.DURATION), EVERYTHING) == [(Cause.DURATION, False)]


@pytest.mark.parametrize("causes", [(), (Cause.TIME,), (Cause.TIME, Cause.DURATION)])
def test_any_other_value_that_differs_only_then_is_a_confirmed_time(causes):
    assert conclude(_case(*causes), EVERYTHING) == [(Cause.TIME, True)]


def test_code_that_differs_only_with_a_string_is_suspected_to_follow_from_it():
    groups = [EVERYTHING, frozenset({"time"}), frozenset(), frozenset({"umask"}), EVERYTHING - {"umask"}]
    clock = _case(Cause.TIME)
    clock.observations = [Observation(group, "time" in group) for group in groups]
    code = Case(replace(clock.place, location="x"), [], [Observation(group, group == EVERYTHING) for group in groups])
    string = Key("app", "", "ELF section .rodata, string 3, byte 0x20", Field.CONTENT)
    cases = {string: clock, string._replace(location="ELF section .text, byte 0x8"): code}
    let_follow(cases, EVERYTHING)
    assert conclude(code, EVERYTHING) == [(Cause.TIME, False)]
    code.suspicions = []
    let_follow({string: clock, string._replace(location="ELF section .data, byte 0x8"): code}, EVERYTHING)
    assert conclude(code, EVERYTHING) != [(Cause.TIME, False)]


def test_the_number_of_an_inode_is_due_to_the_file_system_whatever_made_a_source_another_file():
    everything = frozenset({"source_mtime", "filesystem", "umask", "time"})
    place = Place(field=Field.HEADER, location="cpio entry ino", control=b"260", experiment=b"12")
    found = [Suspicion(cause, Strength.WEAK, "260", "12", AN_INODE) for cause in (Cause.RANDOM, Cause.FILESYSTEM)]
    groups = [frozenset(), *(frozenset({name}) for name in sorted(everything))] * 3
    seen = [Observation(group, bool(group & {"source_mtime", "filesystem"})) for group in groups]
    case = Case(place, found, [Observation(everything, True), *seen])
    assert conclude(case, everything) == [(Cause.FILESYSTEM, True)]
    case.suspicions = []
    assert ("source_mtime", True) in conclude(case, everything)


def test_what_differs_where_a_cause_is_not_varied_does_not_follow_from_a_place_of_that_cause():
    place = Place(field=Field.CONTENT, location="", control=b"\x01", experiment=b"\x02")
    keys = [Key("app", "", f"ELF section .text, byte {number:#x}", Field.CONTENT) for number in (8, 64)]
    everything = frozenset({*EVERYTHING, "home", "kernel", "pid", "aslr", "terminal"})
    for group, shows, follows in ((everything - {"umask"}, True, False), (frozenset(), False, True)):
        seen = [Observation(everything, True), Observation(frozenset(), False), Observation(group, shows)]
        leader = Case(place, [Suspicion(Cause.UMASK, Strength.STRONG, "mode 0644", "mode 0600", "")], list(seen))
        other = Case(place, [], list(seen))
        let_follow(dict(zip(keys, (leader, other), strict=True)), everything)
        assert any(one.cause == Cause.UMASK for one in other.suspicions) is follows
