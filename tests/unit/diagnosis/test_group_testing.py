"""The search for what causes a difference, against made-up causes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.group_testing import (
    Observation,
    contradicts_itself,
    is_minimal,
    next_groups,
    share,
    smallest_healing,
)

NAMES = tuple(f"variation-{letter}" for letter in "abcdefghijklmnopqrstu")
ALL = frozenset(NAMES)
START = [Observation(frozenset(), True), Observation(ALL, False)]


def search(causes: frozenset[str], suspects: list[str], most: int = 100) -> tuple[frozenset[str] | None, int]:
    """Any of `causes` alone makes the difference show; return what is found and the builds it took."""
    observations = list(START)
    while len(observations) < most:
        groups = list(next_groups(ALL, suspects, observations))
        if not groups:
            break
        observations.append(Observation(groups[0], bool(causes - groups[0])))
    return smallest_healing(ALL, observations), len(observations)


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4))
def test_one_cause_is_found_whatever_is_suspected(cause, suspects):
    found, builds = search(frozenset([cause]), suspects)
    assert found == {cause}
    assert builds <= 2 + 2 * len(suspects) + 12


@given(st.sampled_from(NAMES))
def test_a_right_suspicion_takes_one_build(cause):
    assert search(frozenset([cause]), [cause]) == ({cause}, 3)


@settings(deadline=None)
@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=3), st.lists(st.sampled_from(NAMES), max_size=3))
def test_several_causes_are_found_together(causes, suspects):
    found, builds = search(frozenset(causes), suspects)
    assert found == causes
    assert builds <= 60


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=3))
def test_right_suspicions_take_few_builds(causes):
    found, builds = search(frozenset(causes), sorted(causes))
    assert found == causes
    assert builds <= 2 + 2 * len(causes) + 1


def test_what_shows_with_nothing_varied_has_no_group():
    observations = [Observation(frozenset(), True), Observation(ALL, True)]
    assert smallest_healing(ALL, observations) is None
    assert list(next_groups(ALL, ["variation-a"], observations)) == []


def test_what_comes_and_goes_contradicts_itself():
    a, b = frozenset(NAMES[:1]), frozenset(NAMES[:2])
    assert contradicts_itself([Observation(a, False), Observation(b, True)])
    assert not contradicts_itself([Observation(a, True), Observation(b, False)])


def test_a_group_is_minimal_when_each_of_it_brings_the_difference_back():
    both = frozenset(NAMES[:2])
    shown = [Observation(frozenset([name]), True) for name in both]
    assert not is_minimal(both, shown[:1])
    assert is_minimal(both, shown)


def test_builds_that_serve_most_differences_come_first():
    a, b, c = (frozenset([name]) for name in NAMES[:3])
    assert share({1: [a], 2: [b], 3: [b, c]}, 2) == [b, a]
