"""The search for what causes a difference, against made-up causes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftc.diagnosis.group_testing import (
    Observation,
    comes_by_itself,
    is_sure,
    likeliest,
    narrowed,
    needs_several,
    next_groups,
    only_unsettled,
    proved_causes,
    share,
    smallest_healing,
    suspects_left,
    with_entailed,
)
from pytest_ftc.variations import CATALOGUE

NAMES = tuple(variation.name for variation in CATALOGUE)
ALL = frozenset(NAMES)
NONE = frozenset()
START = (Observation(ALL, True), Observation(NONE, False))


def search(causes, suspects, evident=(), most=60):
    """Any of `causes` alone makes the difference show; return all builds that are asked for."""
    observations = list(START)
    while len(observations) < most:
        group = next(next_groups(ALL, suspects, evident, observations), None)
        if group is None:
            break
        observations.append(Observation(group, bool(causes & group)))
    return observations


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=4))
def test_one_cause_is_found_whatever_is_suspected(cause, suspects):
    observations = search({cause}, suspects)
    assert proved_causes(ALL, observations) == {cause}
    # The order of files cannot be cleared of what the file system does.
    assert suspects_left(ALL, observations) - {"fileordering"} == {cause} - {"fileordering"}
    assert is_sure(cause, ALL, observations)


@pytest.mark.parametrize("cause", NAMES)
def test_with_no_suspicion_ten_builds_prove_any_cause(cause):
    assert len(search({cause}, [])) <= 10


@pytest.mark.parametrize("cause", sorted(ALL - {"filesystem"}))
def test_an_evident_suspicion_that_is_right_takes_one_build(cause):
    observations = search({cause}, [cause], evident=[cause])
    assert proved_causes(ALL, observations) == {cause}
    assert len(observations) == 3


@settings(deadline=None)
@given(st.sets(st.sampled_from(sorted(ALL - {"fileordering", "filesystem"})), min_size=1, max_size=3), st.booleans())
def test_several_causes_are_found_together(causes, suspected):
    observations = search(causes, sorted(causes) * suspected)
    assert proved_causes(ALL, observations) == causes == suspects_left(ALL, observations)


def test_another_file_system_is_told_from_another_order_of_files():
    observations = search({"filesystem"}, ["fileordering"])
    assert proved_causes(ALL, observations) == {"filesystem"}


def test_another_order_of_files_is_told_from_another_file_system():
    observations = search({"fileordering"}, ["filesystem"])
    assert proved_causes(ALL, observations) == {"fileordering"}


def test_what_cannot_be_varied_is_not_entailed():
    assert with_entailed(frozenset({"fileordering"}), ALL) == {"fileordering", "filesystem"}
    assert with_entailed(frozenset({"fileordering"}), frozenset({"fileordering"})) == {"fileordering"}


def test_nothing_is_asked_of_what_shows_with_nothing_varied():
    observations = [Observation(ALL, True), Observation(NONE, True)]
    assert comes_by_itself(observations)
    assert list(next_groups(ALL, ["time"], [], observations)) == []


def test_what_shows_though_all_that_was_varied_is_cleared_is_repeated_a_few_times():
    a, b = frozenset(NAMES[:1]), frozenset(NAMES[:2])
    observations = [*START, Observation(b, False), Observation(a, True)]
    assert needs_several(ALL, observations)
    while group := list(next_groups(ALL, [], [], observations)):
        assert group == [NONE]
        observations.append(Observation(NONE, False))
    assert sum(not one.varied for one in observations) == 3


def test_the_smallest_group_that_heals_is_told():
    observations = [*START, Observation(ALL - {"time"}, False), Observation(ALL - {"time", "umask"}, False)]
    assert smallest_healing(ALL, observations) == {"time"}


def test_chance_is_not_ruled_out_by_one_build_each_way():
    observations = [*START, Observation(ALL - {"time"}, False)]
    assert proved_causes(ALL, observations) == {"time"}
    assert not is_sure("time", ALL, observations)


def test_builds_that_serve_most_differences_come_first():
    a, b, c = (frozenset([name]) for name in NAMES[:3])
    assert share({1: [a], 2: [b], 3: [b, c]}, 2) == [b, a]


def test_all_that_the_values_speak_for_is_tried_though_another_cause_is_proved_first():
    observations = search({"domain_host", "kernel", "num_cpus"}, ["domain_host", "kernel", "num_cpus"], ["domain_host"])
    assert proved_causes(ALL, observations) == {"domain_host", "kernel", "num_cpus"}


def test_what_moves_addresses_is_no_cause_beside_random_ones():
    causes = {"aslr", "time", "environment", "build_path"}
    observations = search(causes, ["aslr"], ["aslr"])
    assert len(observations) <= 5
    assert only_unsettled(proved_causes(ALL, observations), ["aslr"]) == {"aslr"}
    assert only_unsettled(frozenset({"time", "home"}), ["time"]) == {"time", "home"}


def test_of_the_few_that_are_left_the_one_that_hides_most_is_likeliest():
    assert likeliest(frozenset({"user_group", "hash_seed"})) == "hash_seed"
    assert likeliest(NONE) == likeliest(ALL) == ""


def test_many_members_that_ask_the_same_do_not_outvote_everything_else():
    a, b, c = (frozenset([name]) for name in NAMES[:3])
    many = {("archive", number): [a, b] for number in range(100)}
    assert share({**many, **{("one", number): [c] for number in range(20)}}, 2) == [a, c]


def test_a_cause_is_in_the_smallest_group_that_showed_it_without_what_was_cleared():
    clock = frozenset({"time", "terminal", "locales"})
    seen = (*START, Observation(frozenset({"locales", "umask"}), False), Observation(clock, True))
    assert narrowed(ALL, seen) == {"time", "terminal"}
    assert narrowed(ALL, START[:1]) == ALL
