from dataclasses import replace

import pytest
from samples import build, verification

from pytest_ftc.model import Role, Verdict
from pytest_ftc.model.timing.phase import Phase, PhaseKind
from pytest_ftc.model.timing.totals import GROUPS, sum_phases
from pytest_ftc.model.timing.work import Work, count_work


def phase(kind: PhaseKind, started: float, seconds: float, span: str, parent: str = "session") -> Phase:
    return Phase(id=span, parent=parent, kind=kind, name="", started=started, seconds=seconds)


def test_each_kind_of_phase_belongs_to_one_group():
    kinds = [kind for group in GROUPS.values() for kind in group]
    assert sorted(kinds) == sorted(PhaseKind)


def test_a_phase_counts_without_those_inside_it():
    found = sum_phases(
        [
            phase(PhaseKind.ARTIFACT, 100, 10, "a"),
            phase(PhaseKind.BUILD, 101, 4, "b", "a"),
            phase(PhaseKind.ATTEMPT, 101, 4, "c", "b"),
            phase(PhaseKind.SETUP, 101, 1, "d", "c"),
            phase(PhaseKind.GAP, 102, 2, "e", "c"),
            phase(PhaseKind.BUILD, 103, 3, "f", "a"),  # overlaps the first for 2 seconds
            phase(PhaseKind.COMPARE, 106, 1, "g", "a"),
        ]
    )
    expected = {"setup": 1, "gap": 2, "build": 1 + 3, "compare": 1, "other": 10 - 5 - 1}
    assert found == {**dict.fromkeys(GROUPS, 0), **expected}


def test_clocks_that_are_set_back_make_no_negative_time():
    found = sum_phases(
        [phase(PhaseKind.DIAGNOSE, 100, 2, "a"), phase(PhaseKind.BUILD, 50, 1, "b", "a"), phase(PhaseKind.BUILD, 101, 9, "c", "a")]
    )  # fmt: skip
    assert (found["diagnose"], found["build"]) == (1, 10)


@pytest.mark.parametrize("cached", [True, False])
def test_work_tells_what_ran_from_what_did_not_need_to(cached):
    builds = (build(Role.CONTROL), replace(build(Role.EXPERIMENT), attempts=3), build(Role.REPEAT))
    one = replace(verification(Verdict.REPRODUCIBLE), builds=builds, cached=cached)
    other = verification(Verdict.FAILED)
    if cached:
        assert count_work([one, other]) == Work(run=1, reused=3, retried=0, saved_seconds=3.75)
    else:
        assert count_work([one, other]) == Work(run=4, reused=0, retried=1, saved_seconds=0)
