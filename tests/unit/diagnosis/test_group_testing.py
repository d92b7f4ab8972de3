"""What builds show of made-up causes."""

from pytest_ftc.diagnosis.group_testing import (
    Observation,
    comes_by_itself,
    likeliest,
    narrowed,
    only_unsettled,
    share,
    smallest_healing,
    with_entailed,
)
from pytest_ftc.variations import CATALOGUE

NAMES = tuple(variation.name for variation in CATALOGUE)
ALL = frozenset(NAMES)
NONE = frozenset()
START = (Observation(ALL, True), Observation(NONE, False))


def test_what_cannot_be_varied_is_not_entailed():
    assert with_entailed(frozenset({"fileordering"}), ALL) == {"fileordering", "filesystem"}
    assert with_entailed(frozenset({"fileordering"}), frozenset({"fileordering"})) == {"fileordering"}


def test_what_shows_with_nothing_varied_comes_by_itself():
    assert comes_by_itself([Observation(ALL, True), Observation(NONE, True)])
    assert not comes_by_itself(START)


def test_the_smallest_group_that_heals_is_told():
    observations = [*START, Observation(ALL - {"time"}, False), Observation(ALL - {"time", "umask"}, False)]
    assert smallest_healing(ALL, observations) == {"time"}


def test_builds_that_serve_most_differences_come_first():
    a, b, c = (frozenset([name]) for name in NAMES[:3])
    assert share({1: [a], 2: [b], 3: [b, c]}, 2) == [b, a]


def test_who_asks_for_the_same_twice_does_not_outvote_who_asks_for_two():
    twice, other = frozenset({"a"}), frozenset({"b", "c"})
    assert share({"x": [twice, twice], "y": [other, frozenset({"d"})]}, 1) == [other]


def test_what_moves_addresses_is_no_cause_beside_random_ones():
    assert only_unsettled(frozenset({"aslr", "time", "home"}), ["aslr"]) == {"aslr"}
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
